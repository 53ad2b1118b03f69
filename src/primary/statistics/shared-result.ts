/** A result that takes long to make: who asks while one is being made, or soon after, gets the same one. */
export interface SharedOptions {
  /** Monotonic, in milliseconds. */
  now(): number
  /** How long a result is fresh, by how long it took to make, in milliseconds. */
  freshMs(tookMs: number): number
}

export class SharedResults<K, T> {
  readonly #make: (key: K) => Promise<T>
  readonly #options: SharedOptions
  readonly #made = new Map<K, { result: Promise<T>; untilMs: number }>()

  constructor(make: (key: K) => Promise<T>, options: SharedOptions) {
    this.#make = make
    this.#options = options
  }

  /** What is made already is not fresh any more. */
  renew(): void {
    for (const made of this.#made.values()) if (made.untilMs !== Number.POSITIVE_INFINITY) made.untilMs = 0
  }

  /** Rejects as the making does; that is not kept. */
  get(key: K): Promise<T> {
    const { now, freshMs } = this.#options
    const known = this.#made.get(key)
    if (known !== undefined && now() < known.untilMs) return known.result
    const startMs = now()
    const made = { result: this.#make(key), untilMs: Number.POSITIVE_INFINITY }
    this.#made.set(key, made)
    made.result.then(
      () => {
        made.untilMs = now() + freshMs(now() - startMs)
      },
      () => {
        if (this.#made.get(key) === made) this.#made.delete(key)
      },
    )
    return made.result
  }
}
