/** What a case in bench/cases is, and what the suite lends it. */
import type { PeerKind, RunningPeer } from '../peers/peer.ts'
import { type CpuTime, cpuTimeOf } from './cpu.ts'

export interface Case {
  name: string
  /** Shown in this order; a peer that has no such number shows a dash. */
  metrics: Metric[]
  goals: Goal[]
  /** Why the case cannot be run on this machine; null when it can. */
  obstacle(bench: Bench): string | null
  /** One round for one peer: starts it, measures it, stops it. */
  measure(kind: PeerKind, bench: Bench): Promise<Sample>
}

export interface Metric {
  key: string
  label: string
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

/** Numbers of one round, by metric key. */
export type Sample = Record<string, number>

export interface Bench {
  /** Core of the proxy and core of load and servers; null on a machine with one core. */
  cores: { proxy: number | null; load: number | null }
  origins: [number, number]
  seconds: number
  /** Requests per second that nginx reached in this run; 0 as long as nobody measured it. */
  nginxMaximum: { value: number }
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
}

/** Runs a load and reports what it cost the peer. */
export async function underLoad<T>(peer: RunningPeer, load: () => Promise<T>): Promise<Busy<T>> {
  const pids = peer.pids()
  const began = process.hrtime.bigint()
  const before = cpuTimeOf(pids)
  const result = await load()
  const after: CpuTime = cpuTimeOf(pids)
  const elapsedNs = Number(process.hrtime.bigint() - began)
  const ranNs = pids.length === 0 ? Number.NaN : after.ranNs - before.ranNs
  return { result, ranNs, busy: ranNs / elapsedNs, waited: (after.waitedNs - before.waitedNs) / elapsedNs }
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
