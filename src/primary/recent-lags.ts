export interface LagFigures {
  /** Changes since the start. */
  count: number
  /** Milliseconds, of the last changes; 0 when there was none. */
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

/** The lags of the last changes, and figures of them. */
export class RecentLags implements LagRecorder {
  readonly #lags: Float64Array
  #count = 0

  constructor(remembered = 1024) {
    this.#lags = new Float64Array(remembered)
  }

  record(ms: number): void {
    this.#lags[this.#count++ % this.#lags.length] = ms
  }

  figures(): LagFigures {
    const size = this.#lags.length
    const sorted = this.#lags.slice(0, Math.min(this.#count, size)).sort()
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
    const lastMs = this.#count === 0 ? 0 : (this.#lags[(this.#count - 1) % size] as number)
    return { count: this.#count, lastMs, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  }
}
