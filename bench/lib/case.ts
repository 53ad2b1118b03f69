/** What a case in bench/cases is, and what the suite lends it. */

import { cpuTimeOf, machineTime, processTree, stolenSince } from '../../src/cli/bench/cpu.ts'
import type { PeerKind, RunningPeer } from '../peers/peer.ts'
import { endedChildrenNs } from './ended-children.ts'
import type { Core } from './processes.ts'

export interface Case {
  name: string
  /** Shown in this order; a peer that has no such number shows a dash. */
  metrics: Metric[]
  goals: Goal[]
  /** The metric that clients and servers could be the limit of. Such a case is measured without a proxy, too. */
  rate?: string
  /** Requests come at a fixed rate, and times are what is measured. */
  isPaced?: boolean
  /** No more rounds than that, where each takes long and the numbers hardly differ. */
  mostRounds?: number
  /** Nothing is pinned: the peer, the clients and the servers share all cores. */
  unpinned?: boolean
  /** Why the case cannot be run on this machine; null when it can. */
  obstacle(bench: Bench): string | null
  /** One round for one peer: starts it, measures it, stops it. */
  measure(kind: PeerKind, bench: Bench): Promise<Sample>
}

export interface Metric {
  key: string
  label: string
  /** Which way is good. Without it the number explains others and is not compared. */
  better?: 'lower' | 'higher'
}

/**
 * One line of the budget. `peers` compares weir with the better of the others, `haproxy` with that one, `value` is the number
 * itself. Without `must` and `aim` the ratio is shown and not judged.
 */
export interface Goal {
  metric: string
  label: string
  against: 'peers' | 'haproxy' | 'value'
  better: 'lower' | 'higher'
  must?: number
  aim?: number
}

/** Numbers of one round, by metric key. In a record that was read, null stands for what is no number. */
export type Sample = Record<string, number | null>

/** Thrown by a case for a peer that works but cannot do what the case asks for. That is no failure, and it has no number. */
export class Unable extends Error {}

export interface Bench {
  /** Core of the proxy and core of load and servers; null on a machine with one core. */
  cores: { proxy: Core; load: Core }
  origins: [number, number]
  seconds: number
  /** Requests per second that nginx reached in this run; 0 as long as nobody measured it. */
  nginxMaximum: { value: number }
  /** The same of every peer that was measured, by name. */
  maxima?: Map<string, number>
  full: boolean
}

export interface Busy<T> {
  result: T
  /** CPU time of the peer during the load, ns. NaN, like the shares below, for one that has no processes. */
  ranNs: number
  /** Share (0 to 1) of the time that the peer was on a core. Near 1: the peer was the limit. Well below: the load was. */
  busy: number
  /** Share of the time that the peer wanted to run and could not: what others on its core took. */
  waited: number
  /** Cores (1 is one core's whole time) that servers, clients and the suite took. */
  loadBusy: number
  /** Share of the machine's time that the hypervisor gave to somebody else. */
  stolen: number
}

/**
 * When a run counts as quiet: what a hypervisor takes is in the CPU time of whoever ran then, and in the latencies of all. A run that is not
 * is begun again, and the quietest counts.
 */
export interface Quiet {
  /** Share (0 to 1) of the machine's time. */
  stolen: number
  /** At least 1. */
  tries: number
}

const usualQuiet: Quiet = { stolen: 0.01, tries: 3 }

/** The parts of it that samples keep. */
export function sharesOf({ busy, waited, loadBusy, stolen }: Busy<unknown>): Sample {
  return { busy, waited, loadBusy, stolen }
}

/** Runs a load and reports what it cost the peer; more than once where the machine was not `quiet`. */
export async function underLoad<T>(peer: RunningPeer, load: () => Promise<T>, quiet = usualQuiet): Promise<Busy<T>> {
  let best = await underOneLoad(peer, load)
  for (let tries = 1; tries < quiet.tries && best.stolen > quiet.stolen; tries++) {
    const next = await underOneLoad(peer, load)
    if (next.stolen < best.stolen) best = next
  }
  return best
}

async function underOneLoad<T>(peer: RunningPeer, load: () => Promise<T>): Promise<Busy<T>> {
  const pids = peer.pids()
  const others = processTree(process.pid).filter((pid) => !pids.includes(pid))
  const [began, machine] = [process.hrtime.bigint(), machineTime()]
  const [before, loadBefore] = [cpuTimeOf(pids), cpuTimeOf(others).ranNs + endedChildrenNs()]
  const result = await load()
  const [after, loadAfter] = [cpuTimeOf(pids), cpuTimeOf(others).ranNs + endedChildrenNs()]
  const elapsedNs = Number(process.hrtime.bigint() - began)
  const ranNs = pids.length === 0 ? Number.NaN : after.ranNs - before.ranNs
  const busy = ranNs / elapsedNs
  // Threads of one peer wait for each other, too: what others took is not more than what it did not have.
  const waited = Math.min((after.waitedNs - before.waitedNs) / elapsedNs, Math.max(0, 1 - busy))
  return { result, ranNs, busy, waited, loadBusy: (loadAfter - loadBefore) / elapsedNs, stolen: stolenSince(machine) }
}

/** Starts a peer for as long as `during` runs. */
export async function withPeer<T>(running: Promise<RunningPeer>, during: (peer: RunningPeer) => Promise<T>): Promise<T> {
  const peer = await running
  try {
    return await during(peer)
  } finally {
    await peer.stop()
  }
}
