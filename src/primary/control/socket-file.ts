/** The file of the control socket: who has it, and how one is put in its place. */
import { type BigIntStats, existsSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'

/** One byte less than `sun_path` of Linux, for the closing NUL. */
const LONGEST_PATH = 107

/** The control socket cannot be opened; the message is one sentence that says what to do. */
export class ControlSocketError extends Error {}

/** Which file it is, whatever its name. */
export interface FileIdentity {
  dev: bigint
  ino: bigint
}

/** Throws ControlSocketError for a path that no socket can have, or that something else has. */
export function checkPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > LONGEST_PATH || Buffer.byteLength(temporaryName(path)) > LONGEST_PATH)
    throw new ControlSocketError(
      `the path of the control socket has ${bytes} bytes, and the system allows ${LONGEST_PATH}: set a shorter control.socket`,
    )
  if (!existsSync(dirname(path)))
    throw new ControlSocketError(`the control socket ${path} has no folder: make it, or set control.socket to another path`)
  const stats = statsOf(path)
  if (stats !== null && !stats.isSocket())
    throw new ControlSocketError(`${path} is no socket, so it is left as it is: set control.socket to another path, or remove it`)
}

/** A name in the same folder that nobody has. It is short, so that a path that fits stays one. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`)
}

/**
 * Gives a socket that is bound to `temporary` its name. Without `takeOver` only where no one has it: a file that nobody answers at
 * is what is left of a process that was killed, and is replaced. Throws ControlSocketError when somebody answers.
 */
export async function putInPlace(temporary: string, path: string, takeOver: boolean): Promise<void> {
  if (!takeOver) {
    // Linking is refused where there is a file: of two that start at once only one gets the name.
    if (linked(temporary, path)) return
    const before = identityOf(path)
    if (await isAnswered(path)) throw new ControlSocketError(answeredWords(path))
    // Somebody was faster, or it is gone: look again.
    if (!isSame(before, identityOf(path))) return putInPlace(temporary, path, false)
  }
  checkPath(path)
  renameSync(temporary, path)
}

export function identityOf(path: string): FileIdentity | null {
  return statsOf(path)
}

/** Removes the file when it is this one. After an upgrade the successor has a file of its own at the same path. */
export function removeOwn(path: string, own: FileIdentity): void {
  if (!isSame(own, identityOf(path))) return
  try {
    unlinkSync(path)
  } catch {
    // Privileges may have been dropped since. The next start replaces it.
  }
}

function linked(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path)
    unlinkSync(temporary)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isSame(one: FileIdentity | null, other: FileIdentity | null): boolean {
  return one !== null && other !== null && one.dev === other.dev && one.ino === other.ino
}

function statsOf(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null
}

/** Whether a process listens there, or may listen there: only a refusal is certain. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EACCES')
        reject(new ControlSocketError(`the control socket ${path} is another user's: set control.socket to another path`))
      else resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}

function answeredWords(path: string): string {
  return `another weir is in control at ${path}: end it with \`weir stop --socket ${path}\`, or give this one a control.socket of its own`
}
