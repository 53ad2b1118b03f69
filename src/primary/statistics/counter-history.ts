/** What is kept of a few counters that belong together: how much came in the latest slots of time. */
import { epochAt, levels, placeOf, type placesAt, slotCount } from './windows.ts'

export class CounterHistory {
  readonly #size: number
  readonly #last: Float64Array
  /** Allocated when something first came: most rows of a big fleet are idle. */
  #sums: Float64Array | undefined
  readonly #epochs: Float64Array
  readonly #total: Float64Array

  constructor(size: number) {
    this.#size = size
    this.#last = new Float64Array(size)
    this.#total = new Float64Array(size)
    this.#epochs = new Float64Array(slotCount).fill(-1)
  }

  /** Takes a reading. A counter that shrank began anew. */
  take(values: Float64Array, nowMs: number, isBaseline: boolean): void {
    for (let i = 0; i < this.#size; i++) {
      const [now, before] = [values[i] as number, this.#last[i] as number]
      if (now === before) continue
      const came = now < before ? now : now - before
      this.#last[i] = now
      this.#total[i] = (this.#total[i] as number) + came
      if (!isBaseline && came > 0) this.#note(i, came, nowMs)
    }
  }

  addWindow(places: ReturnType<typeof placesAt>, into: Float64Array): void {
    if (this.#sums === undefined) return
    for (const { place, epoch } of places) {
      if (this.#epochs[place] !== epoch) continue
      for (let i = 0; i < this.#size; i++) into[i] = (into[i] as number) + (this.#sums[place * this.#size + i] as number)
    }
  }

  addTotal(into: Float64Array): void {
    for (let i = 0; i < this.#size; i++) into[i] = (into[i] as number) + (this.#total[i] as number)
  }

  /** About so much memory. */
  get bytes(): number {
    return 400 + (slotCount + 2 * this.#size) * 8 + (this.#sums?.byteLength ?? 0)
  }

  #note(i: number, came: number, nowMs: number): void {
    this.#sums ??= new Float64Array(slotCount * this.#size)
    for (const level of levels.keys()) {
      const epoch = epochAt(level, nowMs)
      const place = placeOf(level, epoch)
      const at = place * this.#size
      if (this.#epochs[place] !== epoch) {
        this.#epochs[place] = epoch
        this.#sums.fill(0, at, at + this.#size)
      }
      this.#sums[at + i] = (this.#sums[at + i] as number) + came
    }
  }
}
