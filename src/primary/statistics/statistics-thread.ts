/**
 * The thread of statistics: keeps what the board shows, and builds from it what takes long. It maps the board itself, so that the
 * primary only says what rows are called. Each export is a task of the pool in statistics.ts; they run one after the other.
 */
import { workerData } from 'node:worker_threads'
import { move } from 'piscina'
import { addon } from '../../native/addon.ts'
import type { WindowName } from '../../shared/statistics/live.ts'
import { giveWay } from '../give-way.ts'
import { BoardView } from './board-view.ts'
import { exposition } from './exposition.ts'
import type { ExpositionFormat } from './exposition-writer.ts'
import { type Facts, rowsOf } from './facts.ts'
import { Keeper, type WatchedRow } from './keeper.ts'
import { type ServerLatency, serverLatencies } from './latencies.ts'
import { liveView } from './live-view.ts'
import { QueueWaits } from './queue-waits.ts'

export interface ThreadData {
  boardFd: number
  columns: number
}

/** Of each task: when it is, on the clock of the primary. */
export interface Moment {
  nowMs: number
}

giveWay()
const { boardFd, columns } = workerData as ThreadData
const board = new BoardView(addon().mapBoard(boardFd, columns), columns)
const queueWaits = new QueueWaits()
const keeper = new Keeper({
  reader: board,
  onLeave: (id, series) => id.includes('/') && queueWaits.leave(id, series),
})

export function tick({ nowMs, rows }: Moment & { rows: WatchedRow[] }): void {
  keeper.watch(rows)
  keeper.tick(nowMs)
}

/** The whole answer to a scraper, as bytes of UTF-8. */
export function scrape({ nowMs, facts, format }: Moment & { facts: Facts; format: ExpositionFormat }): Uint8Array {
  look(facts, nowMs)
  return bytesOf(exposition({ facts, keeper, board, queueWaits }, format))
}

/** A LiveView as JSON. */
export function live({ nowMs, facts, window }: Moment & { facts: Facts; window: WindowName }): Uint8Array {
  look(facts, nowMs)
  return bytesOf(JSON.stringify(liveView({ facts, keeper, board, window })))
}

/** Of the last minute. */
export function latencies({ nowMs, rows }: Moment & { rows: WatchedRow[] }): {
  all: ServerLatency | null
  servers: Map<string, ServerLatency>
} {
  tick({ nowMs, rows })
  return serverLatencies(keeper, rows, '1m')
}

function look(facts: Facts, nowMs: number): void {
  const servers = facts.upstreams.flatMap((upstream) => upstream.servers)
  tick({ nowMs, rows: rowsOf(servers, facts.routes) })
}

/** Handed over, not copied. */
function bytesOf(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  return move(bytes) as unknown as Uint8Array
}
