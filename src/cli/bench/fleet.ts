/** What is balanced over, and what happens to it. */
import type { Policy } from './policies.ts'
import { describeTime, type ServiceTime } from './service-time.ts'

export interface MockServer {
  name: string
  weight: number
  /** Requests that it works on at a time; the others wait in it. */
  atOnce: number
  service: ServiceTime
  /** So many keys, each answered in `hit` once it is there; null: it has no cache. */
  cache: { keys: number; hit: ServiceTime } | null
  /** What the balancer is told, not what the server can do. */
  maxConnections: number | null
  tier: number
}

export type FleetEvent =
  /** The server stands still for so long, for the first time after a quarter of the round. */
  | { kind: 'stall'; server: string; ms: number; everyMs: number }
  /** Its process is killed in the middle of the round, and there again before the next one. */
  | { kind: 'kill'; server: string }

export interface Fleet {
  name: string
  /** One sentence for people. */
  question: string
  servers: readonly MockServer[]
  /** Requests per second of all clients together, each of which makes one a second. */
  rate: number
  policies: readonly Policy[]
  /** Id of the policy that the config of the user has. */
  configured: string | null
  /** What clients ask for, where it matters: so many keys, of which some are asked for more often (see zipf.ts). */
  keys: { count: number; exponent: number } | null
  event: FleetEvent | null
  notes: readonly string[]
}

/** For people: `20 ms on average (exponential), 4 at a time`. */
export function describeServer({ atOnce, service, cache }: MockServer): string {
  const cached = cache === null ? '' : `, a cache of ${cache.keys} keys with hits in ${describeTime(cache.hit)}`
  return `${describeTime(service)}, ${atOnce} at a time${cached}`
}
