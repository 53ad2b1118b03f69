/**
 * A lock between processes: a file that says who holds it. Its holder touches it again and again, so that others, also on other machines
 * that share the folder, can tell one that was left behind.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { codeOf, makePrivateFolder } from './private-file.ts'

/** A lock whose file was not touched for so long was left behind. */
const STALE_MS = 3 * 60_000
const TOUCH_MS = 30_000
/** Who takes a lock that was left behind needs an instant. */
const BREAK_MS = 10_000

export interface FileLock {
  release(): Promise<void>
}

interface Holder {
  pid: number
  /** When the process started, in ticks since the machine did: a number that is used again is another process. */
  started: string
  /** Machine and container: only there the number says something. */
  place: string
}

/** Takes the lock; null: somebody else holds it. Makes the folder. @throws what the file system does */
export async function takeLock(path: string, nowMs = Date.now()): Promise<FileLock | null> {
  await makePrivateFolder(dirname(path))
  if (await create(path)) return held(path)
  if (!(await isStale(path, nowMs))) return null
  return (await replaceStale(path, nowMs)) ? held(path) : null
}

function held(path: string): FileLock {
  const touch = () => void utimes(path, new Date(), new Date()).catch(() => undefined)
  const timer = setInterval(touch, TOUCH_MS).unref()
  return {
    async release() {
      clearInterval(timer)
      // When we were taken for dead, the file is somebody else's by now.
      if (await isOurs(path)) await rm(path, { force: true })
    },
  }
}

async function create(path: string): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(ourselves()), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Under a second lock: of two that find the first one stale, one must not remove what the other has just made. */
async function replaceStale(path: string, nowMs: number): Promise<boolean> {
  const guard = `${path}.taking`
  if (!(await create(guard))) {
    if ((await ageMs(guard, nowMs)) > BREAK_MS) await rm(guard, { force: true })
    return false
  }
  try {
    if (!(await isStale(path, nowMs))) return false
    await rm(path, { force: true })
    return await create(path)
  } finally {
    await rm(guard, { force: true })
  }
}

async function isStale(path: string, nowMs: number): Promise<boolean> {
  if ((await ageMs(path, nowMs)) > STALE_MS) return true
  const holder = await holderOf(path)
  // Half written, or gone: its age decides.
  if (holder === null || holder.place !== place()) return false
  return startOf(holder.pid) !== holder.started
}

async function isOurs(path: string): Promise<boolean> {
  const holder = await holderOf(path)
  const us = ourselves()
  return holder !== null && holder.pid === us.pid && holder.started === us.started && holder.place === us.place
}

async function holderOf(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
  } catch {
    return null
  }
}

async function ageMs(path: string, nowMs: number): Promise<number> {
  try {
    return nowMs - (await stat(path)).mtimeMs
  } catch {
    return 0
  }
}

function ourselves(): Holder {
  return { pid: process.pid, started: startOf(process.pid) ?? '', place: place() }
}

/** Process numbers of a container mean nothing outside of it. */
function place(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** null: there is no such process. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name is in parentheses and may hold spaces, so count from the last one; the start is field 22.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
