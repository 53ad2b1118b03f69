/** What happened to exchanges in a stretch of time. */
export interface WindowTotals {
  exchanges: number
  failures: number
  firstByteUs: number
}

const BUCKETS = 10
const FIELDS = 3

/** Sums over the last `windowMs`, in ten buckets, so that the oldest tenth leaves at once. Pure. */
export class SlidingWindow {
  readonly #bucketMs: number
  readonly #cells = new Float64Array(BUCKETS * FIELDS)
  /** Number of the bucket that is filled now, counted from time 0. */
  #bucket = 0
  #totals: WindowTotals = { exchanges: 0, failures: 0, firstByteUs: 0 }

  constructor(windowMs: number) {
    this.#bucketMs = Math.max(1, windowMs / BUCKETS)
  }

  add(change: Readonly<WindowTotals>, now: number): void {
    this.#advance(now)
    const at = (this.#bucket % BUCKETS) * FIELDS
    this.#cells[at] = (this.#cells[at] as number) + change.exchanges
    this.#cells[at + 1] = (this.#cells[at + 1] as number) + change.failures
    this.#cells[at + 2] = (this.#cells[at + 2] as number) + change.firstByteUs
    this.#totals.exchanges += change.exchanges
    this.#totals.failures += change.failures
    this.#totals.firstByteUs += change.firstByteUs
  }

  /** Borrowed until the next call. */
  totals(now: number): Readonly<WindowTotals> {
    this.#advance(now)
    return this.#totals
  }

  clear(): void {
    this.#cells.fill(0)
    this.#totals = { exchanges: 0, failures: 0, firstByteUs: 0 }
  }

  #advance(now: number): void {
    const bucket = Math.floor(now / this.#bucketMs)
    if (bucket <= this.#bucket) return
    if (bucket - this.#bucket >= BUCKETS) this.clear()
    else for (let old = this.#bucket + 1; old <= bucket; old++) this.#empty(old % BUCKETS)
    this.#bucket = bucket
  }

  #empty(place: number): void {
    const at = place * FIELDS
    this.#totals.exchanges -= this.#cells[at] as number
    this.#totals.failures -= this.#cells[at + 1] as number
    this.#totals.firstByteUs -= this.#cells[at + 2] as number
    this.#cells.fill(0, at, at + FIELDS)
  }
}
