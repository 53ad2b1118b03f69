/** Keeps what histograms and counters came to: running totals, and the last 10 s, 1 min and 5 min. Pure: the time is an argument. */
import { abi } from '../../native/abi.ts'
import type { WindowName } from '../../shared/statistics/live.ts'
import { CounterHistory } from './counter-history.ts'
import { BLOCK, BUCKETS, type Reading, SeriesHistory } from './series-history.ts'
import { placesAt, windowStart } from './windows.ts'

export type RowKind = 'server' | 'route'

/** A row of the board that somebody has, and who that is. */
export interface WatchedRow {
  of: RowKind
  row: number
  /** Another occupant is another row. */
  id: string
  /** Without histograms, for rows beyond the cap. */
  isPlain?: boolean
}

/** What `figures` counts, in this order. */
export const figure = { requests: 0, errors: 1, bytesIn: 2, bytesOut: 3, count: 4 } as const

/** The board as the keeper reads it, all workers together. */
export interface SeriesReader {
  /** Values that a histogram got so far. */
  count(of: RowKind, row: number, phase: number): number
  /** Adds counts, modulo 2^32, into `into.counts`, and says which blocks were added to. */
  read(of: RowKind, row: number, phase: number, into: Reading): void
  /** The counters of `figure` of a row. */
  figures(of: RowKind, row: number, into: Float64Array): void
  /** Of all workers, by the numbers of `abi.termination`. */
  terminations(into: Float64Array): void
}

interface Kept {
  id: string
  of: RowKind
  row: number
  isPlain: boolean
  series: (SeriesHistory | undefined)[]
  figures: CounterHistory
}

export interface KeeperOptions {
  reader: SeriesReader
  /** A row has another occupant, or none: the last look at what it came to. */
  onLeave?(id: string, series: readonly (SeriesHistory | undefined)[]): void
}

const { count: PHASES } = abi.phase

export class Keeper {
  readonly #reader: SeriesReader
  readonly #onLeave: NonNullable<KeeperOptions['onLeave']>
  readonly #kept = new Map<string, Kept>()
  readonly #terminations = new CounterHistory(abi.termination.count)
  readonly #reading: Reading = { counts: new Uint32Array(BUCKETS), blocks: 0, count: 0, sumUs: 0 }
  readonly #figures = new Float64Array(figure.count)
  #firstMs: number | null = null
  #lastMs = 0

  constructor({ reader, onLeave = () => undefined }: KeeperOptions) {
    this.#reader = reader
    this.#onLeave = onLeave
  }

  /** These rows, and no others. What is known of one that stays is kept. */
  watch(rows: readonly WatchedRow[]): void {
    const named = new Map(rows.map((row) => [keyOf(row.of, row.row), row]))
    for (const [key, kept] of this.#kept) if (named.get(key)?.id !== kept.id) this.#forget(key, kept)
    for (const [key, { of, row, id, isPlain = false }] of named) {
      const known = this.#kept.get(key)
      if (known !== undefined) known.isPlain = isPlain
      else this.#kept.set(key, { id, of, row, isPlain, series: new Array(PHASES), figures: new CounterHistory(figure.count) })
    }
  }

  /** Looks at the board. What was there at the first look of all came before the windows begin. */
  tick(nowMs: number): void {
    const isBaseline = this.#firstMs === null
    this.#firstMs ??= nowMs
    this.#lastMs = nowMs
    for (const kept of this.#kept.values()) this.#look(kept, nowMs, isBaseline)
    const ends = new Float64Array(abi.termination.count)
    this.#reader.terminations(ends)
    this.#terminations.take(ends, nowMs, isBaseline)
  }

  /** Adds the counts of a histogram in a window, by their buckets; false: there are none. */
  addCounts(of: RowKind, row: number, phase: number, window: WindowName, into: Float64Array): boolean {
    const series = this.series(of, row, phase)
    if (series === undefined) return false
    if (window !== 'total') return series.addWindow(placesAt(window, this.#lastMs), into)
    series.addTotal(into)
    return true
  }

  /** Adds the counters of `figure`. */
  addFigures(of: RowKind, row: number, window: WindowName, into: Float64Array): void {
    const kept = this.#kept.get(keyOf(of, row))
    if (window === 'total') kept?.figures.addTotal(into)
    else kept?.figures.addWindow(placesAt(window, this.#lastMs), into)
  }

  terminations(window: WindowName): Float64Array {
    const ends = new Float64Array(abi.termination.count)
    if (window === 'total') this.#terminations.addTotal(ends)
    else this.#terminations.addWindow(placesAt(window, this.#lastMs), ends)
    return ends
  }

  /** Running totals of a histogram; undefined where nothing was recorded. */
  series(of: RowKind, row: number, phase: number): SeriesHistory | undefined {
    return this.#kept.get(keyOf(of, row))?.series[phase]
  }

  /** How long a window looks back at this moment, in milliseconds; less than its name while it is younger. Never 0. */
  coveredMs(window: Exclude<WindowName, 'total'>): number {
    return Math.max(1, this.#lastMs - Math.max(windowStart(window, this.#lastMs), this.#firstMs ?? this.#lastMs))
  }

  /** About how much memory all this takes. */
  get bytes(): number {
    let sum = 0
    for (const { series, figures } of this.#kept.values()) {
      sum += 300 + figures.bytes
      for (const one of series) sum += one?.bytes ?? 0
    }
    return sum
  }

  #look(kept: Kept, nowMs: number, isBaseline: boolean): void {
    const { of, row } = kept
    this.#figures.fill(0)
    this.#reader.figures(of, row, this.#figures)
    kept.figures.take(this.#figures, nowMs, isBaseline)
    if (kept.isPlain) return
    for (let phase = 0; phase < PHASES; phase++) this.#lookAt(kept, phase, nowMs, isBaseline)
  }

  #lookAt(kept: Kept, phase: number, nowMs: number, isBaseline: boolean): void {
    const known = kept.series[phase]
    const count = this.#reader.count(kept.of, kept.row, phase)
    if (known === undefined && count === 0) return
    // A head that was ahead of its counts is looked at again.
    if (known !== undefined && known.seen === count && known.count >= count) {
      known.expire(nowMs)
      return
    }
    const series = known ?? new SeriesHistory()
    kept.series[phase] = series
    this.#reader.read(kept.of, kept.row, phase, this.#reading)
    series.take(this.#reading, nowMs, isBaseline)
    series.expire(nowMs)
    this.#clearReading()
  }

  #clearReading(): void {
    const reading = this.#reading
    for (let position = 0; reading.blocks !== 0; position++) {
      if ((reading.blocks & (1 << position)) === 0) continue
      reading.counts.fill(0, position * BLOCK, (position + 1) * BLOCK)
      reading.blocks &= ~(1 << position)
    }
    reading.count = 0
    reading.sumUs = 0
  }

  #forget(key: string, { id, series }: Kept): void {
    this.#onLeave(id, series)
    this.#kept.delete(key)
  }
}

function keyOf(of: RowKind, row: number): string {
  return `${of} ${row}`
}
