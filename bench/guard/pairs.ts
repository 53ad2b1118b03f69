/** Measures pair after pair: this build and the base, one right after the other, each first as often as second. */
import { median } from '../lib/numbers.ts'
import type { RunningPeer } from '../peers/peer.ts'
import { type Bench, closedLoop, p99At, type Side, withBoth } from './sides.ts'
import type { LoadMetric } from './thresholds.ts'

/** Of one side in one pair. The overhead is what the proxy adds to the p99 of the servers at the same rate. */
export type Numbers = Record<LoadMetric, number>
export type Pair = Record<Side, Numbers>

/** Of what the better one can take at most: enough for queues to show, not enough for them to be all that shows. */
const shareOfMaximum = 0.5
/** A smaller p99 overhead is taken for that: what is below is noise of the direct p99, and ratios of it would be, too. */
const leastOverheadUs = 50

/** What a run learns once and keeps, so that all pairs are under the same load. */
export interface Course {
  bench: Bench
  /** Requests per second of the paced load; 0 before the first pair. */
  rate: number
  pairs: Pair[]
  /** Shares of the paced sends that were late by the load program's own fault, one per load. */
  late: number[]
}

/** Adds `count` pairs, measured on freshly started processes. */
export async function addPairs(course: Course, count: number, progress: (what: string) => void): Promise<void> {
  await withBoth(course.bench, async (peers) => {
    for (let i = 0; i < count; i++) {
      progress(`pair ${course.pairs.length + 1}`)
      const order: Side[] = course.pairs.length % 2 === 0 ? ['here', 'base'] : ['base', 'here']
      course.pairs.push(await measurePair(course, peers, order))
    }
  })
}

async function measurePair(course: Course, peers: Record<Side, RunningPeer>, order: Side[]): Promise<Pair> {
  const { bench } = course
  const pair: Pair = { here: noNumbers(), base: noNumbers() }
  for (const side of order) Object.assign(pair[side], await closedLoop(bench, peers[side]))
  if (course.rate === 0) course.rate = Math.round(Math.max(pair.here.rps, pair.base.rps) * shareOfMaximum)
  const direct = await paced(course, bench.origins[0])
  for (const side of order) {
    pair[side].p99OverheadUs = Math.max(leastOverheadUs, (await paced(course, peers[side].port)) - direct)
  }
  return pair
}

async function paced({ bench, rate, late }: Course, port: number): Promise<number> {
  const result = await p99At(bench, port, rate)
  late.push(result.late)
  return result.p99
}

function noNumbers(): Numbers {
  return { cpuUs: Number.NaN, rps: Number.NaN, p99OverheadUs: Number.NaN }
}

/** Median of one number of one side. */
export function medianOf(pairs: Pair[], side: Side, metric: LoadMetric): number {
  return median(pairs.map((pair) => pair[side][metric]))
}
