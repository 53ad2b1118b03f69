// A million requests whose clients and servers leave at random moments; afterwards a worker must hold what it held before.
//   SOAK_REQUESTS=1000000  SOAK_SEED=1  SOAK_WORKERS=2
// Compared are descriptors, sockets and memory of every worker at rest: once warm, and at the end.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from '../scenario/lib/balancer.ts'
import { until } from '../scenario/lib/wait.ts'
import { type Chance, chanceFrom } from './chance.ts'
import { type ClientTally, runClients } from './clients.ts'

const requests = Number(process.env['SOAK_REQUESTS'] ?? 1_000_000)
const workers = Number(process.env['SOAK_WORKERS'] ?? 2)
const seed = Number(process.env['SOAK_SEED'] ?? 1)
/** Of all requests, how many only warm up: pools, arenas and compiled code grow to their size. */
const WARM_UP_SHARE = 0.2
/** How much a worker's own memory may differ at the end: what an allocator keeps, not what 800,000 leaks would leave. */
const MEMORY_SLACK_BYTES = 24 * 1024 * 1024

interface Holding {
  pid: number
  descriptors: number
  sockets: number
  pipes: number
  privateBytes: number
}

function holdingOf(pid: number): Holding {
  const targets = readdirSync(`/proc/${pid}/fd`).length
  const kinds = kindsOfDescriptors(pid)
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0)
  return { pid, descriptors: targets, ...kinds, privateBytes: (kilobytes('Private_Dirty') + kilobytes('Private_Clean')) * 1024 }
}

function kindsOfDescriptors(pid: number): { sockets: number; pipes: number } {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(pid, fd))
  return { sockets: links.filter((to) => to.startsWith('socket:')).length, pipes: links.filter((to) => to.startsWith('pipe:')).length }
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return ''
  }
}
