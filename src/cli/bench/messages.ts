/** What the processes of a bench say to each other over the channel that node makes between parent and child. */
import type { Quantiles, Slice } from './result.ts'
import type { ServiceTime } from './service-time.ts'

/** A server of a mock process. */
export interface MockPlan {
  name: string
  atOnce: number
  service: ServiceTime
  cache: { keys: number; hit: ServiceTime } | null
  /** 0: any that is free. */
  port: number
}

export interface MockCount {
  /** Requests of the measured part of the round that were begun. */
  begun: number
  /** Of these, keys that were in the cache. */
  hits: number
}

export type ToMock =
  | { type: 'serve'; servers: MockPlan[] }
  /** A round begins: nothing is in work, nothing was counted, and service times are those of the seed. Answers with the counts. */
  | { type: 'reset'; seed: number }
  | { type: 'empty-caches' }
  /** Nothing is done for so long: nothing read, nothing answered. */
  | { type: 'stall'; ms: number }
  | { type: 'count' }
  /** Tells the counts, and is killed. */
  | { type: 'die' }

export type FromMock =
  | { type: 'serving'; ports: Record<string, number> }
  | { type: 'counts'; counts: Record<string, MockCount> }
  | { type: 'failed'; message: string }

export interface LoadPlan {
  url: string
  /** Clients; each makes one request a second. */
  clients: number
  warmUpSeconds: number
  seconds: number
  /** How long answers may still come after the end. */
  drainMs: number
  seed: number
  keys: { count: number; exponent: number } | null
}

/** What clients saw in a round. */
export interface Measured {
  startedAt: string
  responses: number
  errors: number
  latency: Quantiles
  histogram: string
  slices: Slice[]
  loadCpu: number
  /** For so long the load generator could not do what was due, 1 % of the time: other programs had the cores. Milliseconds. */
  heldUpMs: number
}

export type ToDriver =
  | { type: 'run'; plan: LoadPlan }
  /** A process that does not end with its parent by itself: the driver sees to it. */
  | { type: 'guard'; pid: number }

export type FromDriver =
  | { type: 'loaded' }
  /** The warm-up is nearly over. */
  | { type: 'soon' }
  | { type: 'begin' }
  | { type: 'end' }
  | { type: 'measured'; measured: Measured }

/** Of requests that count. */
export const MEASURED_HEADER = 'x-bench-measured'
export const KEY_HEADER = 'x-bench-key'
