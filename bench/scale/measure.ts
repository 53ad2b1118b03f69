/** One point: a load against a running peer, and what it cost. */
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Busy, underLoad } from '../lib/case.ts'
import { type Pace, type PaceResult, pace } from '../lib/load.ts'
import { openFilesLimit } from '../lib/machine.ts'
import type { Core } from '../lib/processes.ts'
import type { RunningPeer } from '../peers/peer.ts'
import type { Stage } from './dimensions.ts'

export interface PointSample {
  cpuUs: number
  /** Of bodies; null where they are not what grows. */
  cpuMsPerGb: number | null
  perSecond: number
  /** Cores that the peer took, and that clients, servers and the suite took. */
  busy: number
  loadBusy: number
  /** Why the rate says nothing about the peer; null when it does. */
  limit: string | null
}

export interface Place {
  core: Core
  cores: number
  seconds: number
}

/** Requests per second while connections grow: what every peer can take, so that all have the same work. */
export const RATE = 10_000
const CONNECTIONS = 64
/** Few, so that what is half transferred at the end does not matter. */
const BODY_CONNECTIONS = 8
/** Of pace: it is not counted in its rate, but answered and paid for. */
const WARM_UP = 0.5
const FULL = 0.93
/** So many connect in no time that counts. */
const FEW = 100
/** After connecting, and before leaving. */
const SETTLE_MS = 200

/** Rejects when the peer did not answer every request. */
export function measurePoint(peer: RunningPeer, stage: Stage, value: number, place: Place): Promise<PointSample> {
  switch (stage.dimension) {
    case 'connections':
      return measureConnections(peer, value, place)
    case 'body':
      return measureBody(peer, value, place)
    case 'servers':
    case 'workers':
      return measureSmall(peer, { connections: CONNECTIONS, path: '/' }, place)
    case 'routes':
      return measureSmall(peer, { connections: CONNECTIONS, path: '/r/#/x', spread: value }, place)
  }
}

/** Compilers, pools and caches of the peer before its first point. Connecting to many servers and the first health checks take longer. */
export async function warmUp(peer: RunningPeer, { servers }: Stage, place: Place): Promise<void> {
  await pace({ ...target(peer, place), connections: CONNECTIONS, rate: 0, seconds: 0.1 + servers / 500 })
}

/** Why a peer cannot have that many connections here; null when it can. HAProxy sets two descriptors aside for each of them. */
export function connectionObstacle(peer: string, connections: number): string | null {
  const needed = Math.ceil(connections * (peer.startsWith('haproxy') ? 2.1 : 1.2)) + 500
  return openFilesLimit() < needed ? `needs ulimit -n ${needed}, has ${openFilesLimit()}` : null
}

/** At a fixed rate, so that the number of connections is all that differs. Where so few cannot have that rate they have what they can. */
async function measureConnections(peer: RunningPeer, connections: number, place: Place): Promise<PointSample> {
  const load = { ...target(peer, place), connections, rate: RATE }
  if (connections > FEW) return measureWindow(peer, load, place)
  const run = await underLoad(peer, () => pace({ ...load, seconds: place.seconds }))
  const sample = sampleOf(run, place)
  const isBehind = run.result.unsent > run.result.sent / 100
  return isBehind ? { ...sample, limit: `${connections} at a time cannot have ${RATE} requests/s` } : sample
}

/**
 * Connecting many clients costs more than their requests: the time begins when all are connected, and ends before they leave. The load
 * cannot be asked for a part of its requests, but they are known where it kept its rate; rejects where it did not.
 */
async function measureWindow(peer: RunningPeer, load: Omit<Pace, 'seconds'>, place: Place): Promise<PointSample> {
  const running = pace({ ...load, seconds: place.seconds + (2 * SETTLE_MS) / 1000 })
  const state = { hasEnded: false }
  const ended = running.finally(() => {
    state.hasEnded = true
  })
  // Rejected below, once the window is over.
  ended.catch(() => undefined)
  while (!state.hasEnded && openFilesOf(peer.pids()) < load.connections) await delay(50)
  await delay(SETTLE_MS)
  const run = await underLoad(peer, () => delay(place.seconds * 1000))
  const isInside = !state.hasEnded
  const result = await ended
  if (!isInside || result.unsent > result.sent / 100) throw new Error(`${load.connections} connections did not get ${load.rate} requests/s`)
  const requests = (load.rate * run.ranNs) / run.busy / 1e9
  const sample = { cpuUs: run.ranNs / 1000 / requests, cpuMsPerGb: null, perSecond: load.rate }
  return { ...sample, busy: run.busy, loadBusy: run.loadBusy, limit: limitOf({ ...run, result }, place) }
}

function openFilesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}

async function measureSmall(peer: RunningPeer, load: Pick<Pace, 'connections' | 'path' | 'spread'>, place: Place): Promise<PointSample> {
  const all = { ...target(peer, place), ...load, rate: 0 }
  return sampleOf(await underLoad(peer, () => pace({ ...all, seconds: place.seconds })), place)
}

async function measureBody(peer: RunningPeer, bytes: number, place: Place): Promise<PointSample> {
  const load = { ...target(peer, place), connections: BODY_CONNECTIONS, rate: 0, path: `/bytes/${bytes}` }
  const run = await underLoad(peer, () => pace({ ...load, seconds: place.seconds }))
  const sample = sampleOf(run, place)
  return { ...sample, cpuMsPerGb: bytes === 0 ? null : (sample.cpuUs / bytes) * 1e6 }
}

function target(peer: RunningPeer, { core }: Place): { core: Core; port: number } {
  return { core, port: peer.port }
}

function sampleOf(run: Busy<PaceResult>, place: Place): PointSample {
  const { answered } = run.result
  return {
    cpuUs: run.ranNs / 1000 / Math.max(1, answered),
    cpuMsPerGb: null,
    perSecond: answered / (WARM_UP + place.seconds),
    busy: run.busy,
    loadBusy: run.loadBusy,
    limit: limitOf(run, place),
  }
}

/** Where the peer had time left and the load had none, or everybody shares cores that are all busy. */
function limitOf({ busy, waited, loadBusy }: Busy<PaceResult>, { core, cores }: Place): string | null {
  const share = (value: number) => `${Math.round(value * 100)} %`
  if (core === 'all')
    return busy + loadBusy >= FULL * cores ? `all cores were busy, ${share(loadBusy / cores)} of them with the load` : null
  if (busy + waited >= FULL || loadBusy < FULL) return null
  return `clients and servers had their core ${share(loadBusy)} busy, the peer only ${share(busy)}`
}
