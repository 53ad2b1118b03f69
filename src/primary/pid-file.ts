/** The file that names the primary's process id, for tools that look for it there. */
import { readFileSync, readlinkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** The file cannot be had; the message is one sentence for people. */
export class PidFileError extends Error {}

export interface PidFile {
  /** Removes the file unless it is somebody else's by now. */
  release(): void
}

/** Whether a process with this id runs and may be a weir. */
export type IsWeir = (pid: number) => boolean

/**
 * Writes the file. One that a dead weir left behind is replaced; while another weir lives that it names, and on any other trouble,
 * throws PidFileError.
 */
export function claimPidFile(path: string, pid: number, isWeir: IsWeir = isRunningWeir): PidFile {
  try {
    writeFileSync(path, `${pid}\n`, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw fault(path, error)
    const owner = readPid(path)
    if (owner !== null && owner !== pid && isWeir(owner))
      throw new PidFileError(`another weir runs as process ${owner} (${path}): stop it, or give this one a pidFile of its own`)
    replace(path, pid)
  }
  return { release: () => release(path, pid) }
}

/** Writes the file in place of that of the process whose successor this is, which then no longer removes it. */
export function takeOverPidFile(path: string, pid: number): PidFile {
  replace(path, pid)
  return { release: () => release(path, pid) }
}

/** Whoever reads the file meanwhile finds the old number or the new one, never half of it. */
function replace(path: string, pid: number): void {
  const draft = `${path}.${pid}`
  try {
    writeFileSync(draft, `${pid}\n`, { flag: 'w', mode: 0o644 })
    renameSync(draft, path)
  } catch (error) {
    removeIfThere(draft)
    throw fault(path, error)
  }
}

function release(path: string, pid: number): void {
  if (readPid(path) === pid) removeIfThere(path)
}

function readPid(path: string): number | null {
  try {
    const text = readFileSync(path, 'latin1').trim()
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null
  } catch {
    // Gone, or not readable: it says nothing.
    return null
  }
}

/** A number in an old file may long belong to another program; one whose command cannot be read counts as weir. */
function isRunningWeir(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const folder = folderOf(pid)
    return words.some((word) => /(^|\/)weir(\/dist\/main\.js)?$/.test(word) || resolve(folder, word) === process.argv[1])
  } catch (error) {
    return codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ESRCH'
  }
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    // Another user's process: its own words have to do.
    return '/'
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already, or stays behind as a stale one, which the next start replaces.
  }
}

function fault(path: string, error: unknown): PidFileError {
  const code = codeOf(error)
  const why = code === 'EACCES' || code === 'EPERM' ? 'no permission' : code === 'ENOENT' ? 'no such folder' : (error as Error).message
  return new PidFileError(`cannot write the pid file ${path}: ${why}`)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
