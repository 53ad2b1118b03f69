/** Results that nobody measured, for tests of what is made of them. The same seed makes the same. */
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import type { BenchResult, FleetResult, PolicyResult, Round, Slice } from '../../../../src/cli/bench/result.ts'

export type Random = () => number

/** Numbers from 0 to 1, mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Mean 0, deviation 1. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Compressed base64 of latencies in ms. */
export function histogramText(latenciesMs: readonly number[]): string {
  const histogram = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true })
  for (const latency of latenciesMs) histogram.recordValue(Math.max(1, Math.round(latency * 1000)))
  return encodeIntoCompressedBase64(histogram)
}

/** A round in which everything took `p99` ms or less; what is not given is plain. */
export function roundOf(p99: number, more: Partial<Round> = {}): Round {
  return {
    startedAt: '2026-01-02T03:04:05.000Z',
    seconds: 4,
    responses: 4_000,
    errors: 0,
    latency: { p50: p99 / 4, p90: p99 / 2, p99, p999: p99 * 2, max: p99 * 3, mean: p99 / 3 },
    histogram: more.histogram ?? histogramText([p99 / 4, p99 / 2, p99]),
    slices: [],
    requests: { a: 2_000, b: 2_000 },
    fairness: 1,
    retries: 0,
    queueMs: 0,
    cacheHits: null,
    cpuUsPerRequest: 30,
    loadCpu: 0.4,
    ...more,
  }
}

export function policyOf(policy: string, rounds: Round[], isConfigured = false): PolicyResult {
  return { policy, isConfigured, rounds }
}

export function fleetOf(policies: PolicyResult[], more: Partial<FleetResult> = {}): FleetResult {
  return {
    name: 'equal',
    question: 'Two servers of one kind.',
    servers: ['a', 'b'].map((name) => ({ name, weight: 1, description: '5 ms, 8 at a time' })),
    rate: 1_000,
    connections: 64,
    policies,
    winner: null,
    notes: [],
    ...more,
  }
}

export function resultOf(fleets: FleetResult[]): BenchResult {
  return {
    schema: 1,
    time: '2026-01-02T03:04:05.000Z',
    environment: {
      cpu: 'A processor <fast>',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      kernel: '6.1.0',
      isVirtual: true,
      openFiles: 65_536,
      node: 'v20.19.0',
      weir: '0.1.0',
      commit: 'abc1234',
    },
    settings: { rounds: 3, seconds: 4, warmUpSeconds: 1, isQuick: false, seed: 1, config: null, isLive: false },
    fleets,
    isInterrupted: false,
  }
}

/** Slices of half a second that are slow from `from` on. */
export function slicesOf(base: number, from: number, factor: number, random: Random): Slice[] {
  return Array.from({ length: 8 }, (_, index) => {
    const p99 = base * (0.9 + random() * 0.2) * (index / 2 >= from && index / 2 < from + 1 ? factor : 1)
    return { at: index / 2, responses: 500, errors: 0, p50: p99 / 4, p99, max: p99 * 2 }
  })
}
