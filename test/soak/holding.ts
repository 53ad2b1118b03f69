/** What a process holds, as the kernel sees it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Holding {
  pid: number
  descriptors: number
  sockets: number
  pipes: number
  /** Memory that nobody else has, in bytes. */
  privateBytes: number
}

export function holdingOf(pid: number): Holding {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(pid, fd))
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0)
  const starting = (kind: string) => links.filter((to) => to.startsWith(kind)).length
  return {
    pid,
    descriptors: links.length,
    sockets: starting('socket:'),
    pipes: starting('pipe:'),
    privateBytes: (kilobytes('Private_Dirty') + kilobytes('Private_Clean')) * 1024,
  }
}

// Closed between the look at the folder and the look at the link: then it is not held.
function linkOf(pid: number, fd: string): string[] {
  try {
    return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
  } catch {
    return []
  }
}
