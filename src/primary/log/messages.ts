/** What the primary and its log thread say to each other. */
import type { RecordFormat } from '../../native/contract.ts'
import type { RecordLine } from '../../shared/records/record-line.ts'
import type { LogCounts } from './access-log.ts'
import type { OpenSink } from './sink-file.ts'

/** What the thread is made for; each message replaces the one before. */
export interface LogSettings {
  /** null: no access log. `fromOldest`: records that are there already belong to it. */
  access: { format: RecordFormat; sink: OpenSink; fromOldest: boolean } | null
  /** How single records are written for people. */
  whole: RecordFormat
  /** Records that failed, and slow ones, are kept for a while. */
  keeps: boolean
  /** null: no traces. */
  trace: TraceSettings | null
}

export interface TraceSettings {
  /** Of the collector. */
  url: string
  serviceName: string
  serviceVersion: string
  headers: Record<string, string>
}

/** What a row of the board is called; `''` for nobody. */
export interface RowName {
  kind: 'listener' | 'route' | 'server'
  row: number
  name: string
}

export type ToLogThread =
  | { type: 'names'; names: RowName[] }
  | { type: 'settings'; settings: LogSettings }
  /** A live stream: batches until its end, each after a `more`. */
  | { type: 'tail'; id: number; where: string }
  | { type: 'more'; id: number }
  | { type: 'endTail'; id: number }
  | { type: 'find'; id: number; requestId: string }
  /** Everything that is there is written; then the thread ends. */
  | { type: 'close' }

export type FromLogThread =
  | { type: 'counts'; counts: LogCounts }
  /** A line for weir's own log. */
  | { type: 'say'; line: string }
  /** The thread has closed what it was given. */
  | { type: 'released'; sink: number }
  /** `lost`: all records so far that came faster than they were read. */
  | { type: 'records'; id: number; records: RecordLine[]; lost: number }
  /** A tail cannot go on. */
  | { type: 'tailFailed'; id: number; reason: string }
  | { type: 'found'; id: number; found: Found }
  | { type: 'closed' }

/** What is known of a request id. */
export interface Found {
  /** The latest of them; null: none is kept. */
  record: RecordLine | null
  /** How many have this id. */
  count: number
  /** How far back all records go, in milliseconds; null: there is none. */
  reachMs: number | null
}
