/** Opens what an access log is written to. */
import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from 'node:fs'

/** A place to append to, open. */
export interface OpenSink {
  /** Never the same again, unlike the descriptor, which is another file's as soon as it is closed. */
  id: number
  fd: number
  /** For messages: its path, or `standard output`. */
  name: string
  /** It is closed when it is no longer used; standard output is not. */
  isOwn: boolean
}

let lastId = 0

/** Whose files these are to be: the account that the process becomes later. */
export interface Owner {
  uid: number
  gid: number
}

const mode = 0o640
const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR, O_WRONLY } = constants

/**
 * Opens a file for appending, or standard output. Nothing that is written there ever waits: a pipe is opened so that a reader who
 * stopped is noticed. Throws an Error, a sentence with file and reason.
 */
export function openSink(to: string, owner: Owner | null = null): OpenSink {
  if (to === 'stdout') return openStandardOutput()
  try {
    const fd = openSync(to, isPipe(to) ? O_RDWR | O_NONBLOCK : O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, mode)
    if (owner !== null) giveTo(fd, owner)
    return { id: ++lastId, fd, name: to, isOwn: true }
  } catch (error) {
    throw new Error(`the access log ${to} cannot be opened: ${openFault(error as NodeJS.ErrnoException)}`)
  }
}

export function closeSink({ fd, isOwn }: OpenSink): void {
  if (isOwn) closeSync(fd)
}

/**
 * A pipe or a terminal gets an open file of our own: whether its writers wait is a property of the open file, which other processes
 * share. A regular file is written through the one that is there, whose position everybody shares.
 */
function openStandardOutput(): OpenSink {
  const shared = { id: ++lastId, fd: 1, name: 'standard output', isOwn: false }
  try {
    const stat = fstatSync(1)
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return shared
    return { ...shared, fd: openSync('/proc/self/fd/1', O_WRONLY | O_APPEND | O_NONBLOCK), isOwn: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF')
      throw new Error('the access log cannot go to standard output, which is closed: name a file, or do not close it')
    return shared
  }
}

/** For reading, too: it can then be opened, and written to, while nobody reads. */
function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
}

/** Whoever opens it anew later is no longer root. */
function giveTo(fd: number, { uid, gid }: Owner): void {
  const stat = fstatSync(fd)
  if (stat.isFile() && stat.uid !== uid) fchownSync(fd, uid, gid)
}

function openFault({ code, message }: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ENOENT: 'its folder does not exist',
    ENOTDIR: 'its folder is a file',
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'the file system is read-only',
    EISDIR: 'it is a folder',
    ENXIO: 'it is a socket, which no log can be appended to',
    ENOSPC: 'the disk is full',
    EMFILE: 'this process has too many open files',
    ELOOP: 'too many symbolic links',
    ENAMETOOLONG: 'the name is too long',
  }
  return words[code ?? ''] ?? message
}
