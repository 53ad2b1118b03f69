/** The keys that a cache holds: at most so many, the one that was not asked for the longest goes first. */
export class Lru {
  readonly #most: number
  // A set keeps the order in which its values were added.
  readonly #keys = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#keys.size
  }

  /** Whether it holds the key; afterwards it does. */
  touch(key: string): boolean {
    const isHit = this.#keys.delete(key)
    this.#keys.add(key)
    const [oldest] = this.#keys
    if (this.#keys.size > this.#most && oldest !== undefined) this.#keys.delete(oldest)
    return isHit
  }

  clear(): void {
    this.#keys.clear()
  }
}
