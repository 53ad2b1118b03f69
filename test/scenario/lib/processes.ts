/** What /proc tells about processes: children, memory, sockets. Linux only, like the balancer. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** AddressSanitizer holds freed memory back for a while, so that what a process has says nothing. */
export const KEEPS_FREED_MEMORY = process.env['ASAN_OPTIONS'] !== undefined

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
  return new Set(
    connections()
      .filter((f) => portIn(f[1]) === port && f[3] === '01')
      .map((f) => f[9] ?? ''),
  )
}

export interface SocketQueues {
  /** Bytes that were sent and the other end has not acknowledged. */
  sent: number
  /** Bytes that came and the process has not read. */
  received: number
}

/** What the kernel holds for one end of an IPv4 connection of this machine, by the ports of this end and of the other one. */
export function socketQueues(localPort = 0, remotePort = 0): SocketQueues {
  const row = findConnection(localPort, remotePort)
  const [sent = '', received = ''] = row?.[4]?.split(':') ?? []
  if (!row) throw new Error(`no connection from port ${localPort} to ${remotePort}`)
  return { sent: Number.parseInt(sent, 16), received: Number.parseInt(received, 16) }
}

/** Whether the kernel still knows this end of a connection. After a reset it does not, even while its process keeps the socket. */
export function isKnownConnection(localPort: number, remotePort: number): boolean {
  return findConnection(localPort, remotePort) !== undefined
}

/** Open descriptors of a process, and how many of them are ends of pipes. */
export function descriptors(pid: number): { all: number; pipes: number } {
  const targets = descriptorTargets(pid)
  return { all: targets.length, pipes: targets.filter((target) => target.startsWith('pipe:')).length }
}

/** How many descriptors a process of this environment may have; node raises its own limit to this one. */
export function descriptorLimit(): number {
  const [, , hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

function findConnection(localPort: number, remotePort: number): string[] | undefined {
  return connections().find((f) => portIn(f[1]) === localPort && portIn(f[2]) === remotePort)
}

function connections(): string[][] {
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  return rows.map((row) => row.trim().split(/\s+/))
}

function portIn(address = ''): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16)
}

function socketInodes(pid: number): string[] {
  return descriptorTargets(pid).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
}

function descriptorTargets(pid: number): string[] {
  const targets: string[] = []
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      targets.push(readlinkSync(`/proc/${pid}/fd/${fd}`))
    } catch {
      // The descriptor was closed since the folder was read.
    }
  }
  return targets
}

/** Blocks. The sockets of a process are closed when the last of its threads has ended, which may be after its first one. */
export function waitForEnd(pid: number): void {
  for (const end = performance.now() + 2_000; performance.now() < end; ) {
    try {
      if (readdirSync(`/proc/${pid}/task`).length === 0) return
    } catch {
      return
    }
  }
  throw new Error(`process ${pid} did not end`)
}
