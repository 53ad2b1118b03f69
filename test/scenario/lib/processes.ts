/** What /proc tells about processes: children, memory, sockets. Linux only, like the balancer. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Pids of the direct children of a process, in ascending order. Ended ones that wait for their parent are left out. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => isLivingChild(name, pid))
    .map(Number)
    .sort((a, b) => a - b)
}

function isLivingChild(name: string, parent: number): boolean {
  const [state, ppid] = statOf(name)
  return Number(ppid) === parent && state !== 'Z' && state !== 'X'
}

/** Whether a process still runs (an ended one whose parent did not look yet does not). */
export function isRunning(pid: number): boolean {
  const [state] = statOf(String(pid))
  return state !== undefined && state !== 'Z' && state !== 'X'
}

// Field 2, the command's name, is in parentheses and may hold spaces, so count from the last parenthesis.
function statOf(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (!match) throw new Error(`process ${pid} has no VmRSS line`)
  return Number(match[1]) * 1024
}

/** Number of established IPv4 connections that a process holds whose own end is `port`: what its clients opened. */
export function clientConnections(pid: number, port: number): number {
  const inodes = establishedOn(port)
  return socketInodes(pid).filter((inode) => inodes.has(inode)).length
}

function establishedOn(port: number): Set<string> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  const fields = rows.map((row) => row.trim().split(/\s+/))
  return new Set(fields.filter((f) => f[1]?.endsWith(local) && f[3] === '01').map((f) => f[9] ?? ''))
}

function socketInodes(pid: number): string[] {
  const inodes: string[] = []
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      if (inode !== undefined) inodes.push(inode)
    } catch {
      // The descriptor was closed since the folder was read.
    }
  }
  return inodes
}
