/** What a run of `weir bench` has measured: what the driver fills in and what every report is made from. `report.json` is this. */

/** Of a histogram, in milliseconds. */
export interface Quantiles {
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
  mean: number
}

/** What clients saw in a slice of a round. */
export interface Slice {
  /** Begin of the slice, seconds after the begin of the measured part of the round. */
  at: number
  responses: number
  errors: number
  /** Milliseconds; null where nothing was answered. */
  p50: number | null
  p99: number | null
  max: number | null
}

/** One policy on one fleet for one stretch of time, after the warm-up. */
export interface Round {
  startedAt: string
  seconds: number
  responses: number
  /** No answer, or one of 500 and above. */
  errors: number
  /** Corrected for coordinated omission. */
  latency: Quantiles
  /** The whole distribution in microseconds: HdrHistogram V2, compressed, base64. */
  histogram: string
  slices: Slice[]
  /** Requests that each server began, by its name. */
  requests: Record<string, number>
  /**
   * Jain's index of requests divided by weight: 1 when every server had its share, 1/n when one had everything
   * (Jain, Chiu, Hawe: A Quantitative Measure of Fairness, 1984).
   */
  fairness: number
  retries: number
  /** Time that requests waited for room in the balancer, all of them together. */
  queueMs: number
  /** Share (0 to 1) that servers answered from their caches; null where they have none. */
  cacheHits: number | null
  /** Of all the balancer's processes. */
  cpuUsPerRequest: number
  /** Of the load generator: share (0 to 1) of one core. Near 1 it may have been the limit. */
  loadCpu: number
}

export interface PolicyResult {
  /** As in `balance`, with `hash` where it hashes: `least-connections`, `consistent-hash (ring)`. */
  policy: string
  /** The policy that the config of the user has; always false without one. */
  isConfigured: boolean
  rounds: Round[]
}

export interface FleetServer {
  name: string
  weight: number
  /** For people: `5 ms, 8 at a time`. */
  description: string
}

/** Who is better than the rest, and by which measure; `policies` has several names when the spread lets nobody win. */
export interface Winner {
  metric: 'p99' | 'p999' | 'errors' | 'cacheHits'
  policies: string[]
  /** One sentence: what was better by how much, or why nobody is named. */
  text: string
}

/** Something that was done to a server in every round, at a known time. */
export interface FleetEvent {
  /** Seconds after the begin of the measured part of a round. */
  at: number
  /** How long it lasted; without it, until the end. */
  seconds?: number
  /** A few words: `s3 killed`, `s1 stalls`. */
  text: string
}

export interface FleetResult {
  name: string
  /** One sentence for people: what this fleet is like. */
  question: string
  servers: FleetServer[]
  /** Requests per second of all clients together. */
  rate: number
  connections: number
  policies: PolicyResult[]
  /** Drawn over the plots of latency over time. */
  events?: FleetEvent[]
  winner: Winner | null
  /** What makes the numbers doubtful or needs to be known: the load generator was the limit, a core was taken away. */
  notes: string[]
}

export interface Environment {
  cpu: string
  cores: number
  memoryBytes: number
  kernel: string
  isVirtual: boolean
  openFiles: number
  node: string
  weir: string
  /** Null outside of a checkout. */
  commit: string | null
}

export interface BenchResult {
  schema: 1
  time: string
  environment: Environment
  settings: {
    rounds: number
    seconds: number
    warmUpSeconds: number
    isQuick: boolean
    seed: number
    /** Path of the user's own config. */
    config: string | null
    /** Whether latency profiles come from a running balancer. */
    isLive: boolean
  }
  fleets: FleetResult[]
  /** Ended by Ctrl-C, or by a fault, before everything was measured. */
  isInterrupted: boolean
}
