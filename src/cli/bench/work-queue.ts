/**
 * A server that works on so many requests at a time; the others wait in the order in which they came. It says at once when each will be
 * done, so that a timer that fires late delays one answer and not all that follow. Times in milliseconds on any clock. Pure.
 */
export class WorkQueue {
  /** When each place is free again. */
  readonly #freeAt: Float64Array

  constructor(atOnce: number) {
    this.#freeAt = new Float64Array(atOnce)
  }

  /** A request has come that takes so long: when it will be done. */
  admit(now: number, takes: number): number {
    let first = 0
    for (let place = 1; place < this.#freeAt.length; place++) if (this.#at(place) < this.#at(first)) first = place
    const done = Math.max(now, this.#at(first)) + takes
    this.#freeAt[first] = done
    return done
  }

  #at(place: number): number {
    return this.#freeAt[place] as number
  }
}
