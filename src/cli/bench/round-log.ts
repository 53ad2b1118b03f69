/** What all clients saw in a round: counts, the corrected histogram, and slices over time. */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Measured } from './messages.ts'
import type { Quantiles, Slice } from './result.ts'

const SLICE_MS = 100
/** Each client begins a request once a second: later ones of a slow answer would have waited, too. */
const EXPECTED_INTERVAL_US = 1_000_000

interface SliceLog {
  latencies: number[]
  errors: number
}

/** Counts nothing until it is begun. On the clock of `performance.now()`. */
export class RoundLog {
  begun = 0
  readonly #seconds: number
  #beginMs = Number.POSITIVE_INFINITY
  readonly #slices: SliceLog[]
  readonly #histogram: Histogram = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true })
  #responses = 0
  #errors = 0

  constructor(seconds: number) {
    this.#seconds = seconds
    this.#slices = Array.from({ length: Math.ceil((seconds * 1_000) / SLICE_MS) }, () => ({ latencies: [], errors: 0 }))
  }

  begin(now: number): void {
    this.#beginMs = now
  }

  /** Requests that wait for an answer. */
  get open(): number {
    return this.begun - this.#responses - this.#errors
  }

  covers(now: number): boolean {
    return now >= this.#beginMs && now < this.#beginMs + this.#seconds * 1_000
  }

  answer(begunAt: number, tookMs: number): void {
    this.#responses++
    this.#sliceAt(begunAt)?.latencies.push(tookMs)
    this.#histogram.recordValueWithExpectedInterval(Math.max(1, Math.round(tookMs * 1_000)), EXPECTED_INTERVAL_US)
  }

  fail(begunAt: number): void {
    this.#errors++
    const slice = this.#sliceAt(begunAt)
    if (slice !== undefined) slice.errors++
  }

  /** All of it. */
  result(): Omit<Measured, 'startedAt' | 'loadCpu' | 'heldUpMs'> {
    return {
      responses: this.#responses,
      errors: this.#errors,
      latency: quantilesOf(this.#histogram),
      histogram: encodeIntoCompressedBase64(this.#histogram),
      slices: this.#slices.map(sliceOf),
    }
  }

  #sliceAt(begunAt: number): SliceLog | undefined {
    return this.#slices[Math.floor((begunAt - this.#beginMs) / SLICE_MS)]
  }
}

/** Of microseconds, in milliseconds. */
function quantilesOf(histogram: Histogram): Quantiles {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1_000
  if (histogram.totalCount === 0) return { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 }
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100), mean: Math.round(histogram.mean) / 1_000 }
}

function sliceOf({ latencies, errors }: SliceLog, index: number): Slice {
  const sorted = latencies.toSorted((a, b) => a - b)
  // The least value that so large a share does not exceed.
  const at = (share: number): number | null => {
    const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
    return found === undefined ? null : Math.round(found * 1_000) / 1_000
  }
  return { at: (index * SLICE_MS) / 1_000, responses: sorted.length, errors, p50: at(0.5), p99: at(0.99), max: at(1) }
}
