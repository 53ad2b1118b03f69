import { build } from 'hdr-histogram-js'

const MOST_MS = 60_000

export interface LagFigures {
  /** Changes since the start. */
  count: number
  /** Milliseconds since the start; 0 when there was none. */
  lastMs: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** Gets how long each change took to reach the last worker. */
export interface LagRecorder {
  record(ms: number): void
  figures(): LagFigures
}

/** A histogram of all lags since the start: 1 ms to one minute, two significant digits. */
export class LagHistogram implements LagRecorder {
  readonly #histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: MOST_MS, numberOfSignificantValueDigits: 2 })
  #lastMs = 0

  record(ms: number): void {
    this.#lastMs = ms
    this.#histogram.recordValue(Math.min(Math.max(0, Math.round(ms)), MOST_MS))
  }

  figures(): LagFigures {
    const { totalCount: count, maxValue } = this.#histogram
    const at = (percentile: number) => (count === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile))
    return { count, lastMs: this.#lastMs, p50Ms: at(50), p99Ms: at(99), maxMs: count === 0 ? 0 : maxValue }
  }
}
