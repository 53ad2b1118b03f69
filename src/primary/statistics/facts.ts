/** What the primary tells the thread of statistics: names and states; the numbers are on the board. Survives being posted. */
import { abi } from '../../native/abi.ts'
import { mostDetailed } from '../../shared/metrics.ts'
import type { LiveListener, LiveWork, LiveWorker } from '../../shared/statistics/live.ts'
import type { LagFigures } from '../lag-histogram.ts'
import type { WatchedRow } from './keeper.ts'

export interface ServerFacts {
  /** `upstream/server`. */
  id: string
  name: string
  slot: number
  address: string
  isBackup: boolean
  state: string
  admin: string
  reason: string | null
  /** As configured, times the share in force. */
  weight: number
  weightPercent: number
  takesTraffic: boolean
  /** The last checks, oldest first: `+` passed, `-` failed. */
  checks: string
  passedChecks: number
  failedChecks: number
  checkSeconds: number
  ejections: number
}

export interface UpstreamFacts {
  name: string
  balance: string
  /** Share that the breaker lets through. */
  breakerPass: number
  isPanicking: boolean
  servers: ServerFacts[]
}

export interface RouteName {
  row: number
  listener: string
  name: string
}

export interface Facts {
  time: string
  version: string
  nodeVersion: string
  startedAtMs: number
  uptimeSeconds: number
  generation: number
  lastReload: { ok: boolean; atMs: number } | null
  reloads: { applied: number; refused: number }
  gossip: LagFigures
  /** Lost records of the access log; null without one. */
  lostRecords: number | null
  workers: (LiveWorker & { isUp: boolean })[]
  listeners: (LiveListener & { slot: number })[]
  /** When certificates of listeners that end TLS end, per name. */
  certificates: { listener: string; name: string; notAfterMs: number }[]
  /** Of the listeners for what reached no route, then of the routes. */
  routes: RouteName[]
  upstreams: UpstreamFacts[]
  work: LiveWork[]
}

/** The name of the rows of listeners: what reached no route. */
export const noRoute = 'none'

/** Rows that statistics are kept of. Beyond the caps there are counters only. */
export function rowsOf(servers: readonly Pick<ServerFacts, 'id' | 'slot'>[], routes: readonly RouteName[]): WatchedRow[] {
  return [
    ...servers.map(({ id, slot }, i) => ({ of: 'server' as const, row: slot, id, isPlain: i >= mostDetailed.servers })),
    ...routes.map(({ listener, name, row }, i) => {
      return {
        of: 'route' as const,
        row,
        id: `${listener} ${name}`,
        isPlain: name === noRoute || i >= mostDetailed.routes + abi.board.listeners,
      }
    }),
  ]
}
