/** Becoming somebody who may do less, once all that needs root is open. */
import { readFileSync } from 'node:fs'

/** The process cannot become whom the config names; the message is one sentence for people. */
export class PrivilegeError extends Error {}

/** What is asked of the system: `process`, but for tests. */
export interface Identity {
  getuid(): number
  geteuid(): number
  getgid(): number
  getegid(): number
  /** The groups of a user by its name, and one more. */
  initgroups(user: string, group: number): void
  setgroups(groups: number[]): void
  setgid(id: number): void
  setuid(id: number): void
}

interface Account {
  uid: number
  gid: number
  /** null: a number that no name belongs to. */
  name: string | null
}

/** The system's lists of accounts, as text. */
export interface AccountFiles {
  passwd: string
  group: string
}

/**
 * Gives up root for good: further groups, then the group, then the user, as each step needs the rights that the next one takes away.
 * Does nothing without a user, or when the process is that user already, as the successor in an upgrade is. Whatever is forked later
 * inherits it. Throws PrivilegeError.
 */
export function dropPrivileges(
  { user, group }: { user: string | null; group: string | null },
  // Everywhere but on Windows it has all of them.
  system: Identity = process as unknown as Identity,
  files: AccountFiles = readAccountFiles(),
): void {
  if (user === null) return
  const account = findAccount(user, group, files)
  if (account.uid === 0) throw new PrivilegeError(`user ${user} is root, who keeps all rights: leave user out, or name another one`)
  if (isAlready(account, system)) return
  if (system.geteuid() !== 0)
    throw new PrivilegeError(`cannot become user ${user}: only root can; start weir as root, or leave user out of the config`)
  try {
    if (account.name === null) system.setgroups([account.gid])
    else system.initgroups(account.name, account.gid)
    system.setgid(account.gid)
    system.setuid(account.uid)
  } catch (error) {
    throw new PrivilegeError(`cannot become user ${user}: ${(error as Error).message}`)
  }
  requireNoWayBack(account, system)
}

/** Whose files are to be that are made before: null when this process stays who it is. Throws PrivilegeError. */
export function laterOwner({ user, group }: { user: string | null; group: string | null }): { uid: number; gid: number } | null {
  return user === null || process.geteuid?.() !== 0 ? null : findAccount(user, group, readAccountFiles())
}

/** A saved user id, or a system call that did less than it said, would leave root within reach. */
function requireNoWayBack(account: Account, system: Identity): void {
  const isRegained = succeeds(() => system.setuid(0)) || (account.gid !== 0 && succeeds(() => system.setgid(0)))
  if (isRegained || !isAlready(account, system))
    throw new PrivilegeError(`became user ${account.name ?? account.uid} only in part: root could be regained; nothing is started`)
}

function succeeds(attempt: () => void): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}

function isAlready({ uid, gid }: Account, system: Identity): boolean {
  return system.getuid() === uid && system.geteuid() === uid && system.getgid() === gid && system.getegid() === gid
}

function findAccount(user: string, group: string | null, files: AccountFiles): Account {
  const entry = find(files.passwd, user)
  const uid = entry?.id ?? numberOf(user)
  if (uid === null) throw new PrivilegeError(`there is no user ${user} on this machine`)
  const gid = group === null ? (entry?.gid ?? null) : findGroup(group, files)
  if (gid === null) throw new PrivilegeError(`user ${user} has no entry in /etc/passwd, so its group is not known: name one, too`)
  return { uid, gid, name: entry?.name ?? null }
}

function findGroup(group: string, files: AccountFiles): number {
  const gid = find(files.group, group)?.id ?? numberOf(group)
  if (gid === null) throw new PrivilegeError(`there is no group ${group} on this machine`)
  return gid
}

/** A line of passwd(5) or group(5) by its name, else by its number. */
function find(text: string, wanted: string): { name: string; id: number; gid: number } | null {
  const rows = text.split('\n').map((line) => line.split(':'))
  const row = rows.find(([name]) => name === wanted) ?? rows.find(([, , id]) => id === wanted)
  const [name, , id, gid] = row ?? []
  return name === undefined || id === undefined ? null : { name, id: Number(id), gid: Number(gid) }
}

function numberOf(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null
}

function readAccountFiles(): AccountFiles {
  return { passwd: readFileSync('/etc/passwd', 'utf8'), group: readFileSync('/etc/group', 'utf8') }
}
