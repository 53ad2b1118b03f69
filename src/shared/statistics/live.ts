/** What live views show: the dashboard, `weir top` and `weir status`. Times in whole microseconds unless they are named otherwise. */

/** Stretches of time that are looked back over; `total` is since the start. */
export const windows = ['10s', '1m', '5m', 'total'] as const
export type WindowName = (typeof windows)[number]

/** Of one histogram over one stretch of time. Quantiles are never averaged: they are read from merged counts. */
export interface Quantiles {
  count: number
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
}

export const phases = ['queue', 'connect', 'firstByte', 'total', 'overhead'] as const
export type Phase = (typeof phases)[number]

/** null where nothing was measured in that time. */
export type PhaseQuantiles = Record<Phase, Quantiles | null>

/** How much happened, in the stretch of time that was asked for. */
export interface Rates {
  requestsPerSecond: number
  /** Of those that ended: failures of the server or answers of 500 and above; from 0 to 1, 0 when there was none. */
  errorShare: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
}

export interface LiveServer {
  /** `upstream/server`. */
  id: string
  name: string
  address: string
  isBackup: boolean
  /** As `weir status` says it. */
  state: string
  admin: string
  reason: string | null
  weightPercent: number
  inFlight: number
  tunnels: number
  idleConnections: number
  rates: Rates
  latency: PhaseQuantiles
  /** The last 64 health checks, oldest first: `+` passed, `-` failed. */
  checks: string
}

export interface LiveUpstream {
  name: string
  balance: string
  waiting: number
  held: number
  rates: Rates
  latency: PhaseQuantiles
  servers: LiveServer[]
}

export interface LiveRoute {
  listener: string
  name: string
  active: number
  rates: Rates
  latency: PhaseQuantiles
}

export interface LiveListener {
  name: string
  addresses: string[]
  protocol: string
  connections: number
}

export interface LiveWorker {
  number: number
  pid: number
  state: string
  connections: number
  tunnels: number
  restarts: number
}

/** A command that is being carried out. */
export interface LiveWork {
  kind: 'drain' | 'deploy' | 'reload' | 'upgrade'
  /** Server or upstream. */
  subject: string
  /** In words, as its command prints it. */
  progress: string
  startedAt: string
}

export interface LiveView {
  time: string
  version: string
  generation: number
  uptimeSeconds: number
  window: WindowName
  rates: Rates
  latency: PhaseQuantiles
  /** Of `total` of everything together: counts by the upper bound of their bucket in microseconds, ascending. */
  distribution: [number, number][]
  /** Ended exchanges by how they ended, in this time; words as in the access log. */
  terminations: Record<string, number>
  listeners: LiveListener[]
  routes: LiveRoute[]
  upstreams: LiveUpstream[]
  workers: LiveWorker[]
  work: LiveWork[]
}
