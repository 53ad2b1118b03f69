/** Versions that are remembered. A worker that is further behind gets the whole table, which it would get anyway. */
const REMEMBERED = 4096

/** What the table's digest was at its last versions, and when they came about. */
export class TableHistory {
  readonly #digests = new Uint32Array(REMEMBERED)
  readonly #times = new Float64Array(REMEMBERED)
  #version = 0

  /** The table has its next version. */
  add(digest: number, nowMs: number): void {
    const at = ++this.#version % REMEMBERED
    this.#digests[at] = digest
    this.#times[at] = nowMs
  }

  /** undefined: too long ago, or not yet. */
  digestAt(version: number): number | undefined {
    return this.#holds(version) ? this.#digests[version % REMEMBERED] : undefined
  }

  /** Milliseconds; undefined: too long ago, or not yet. */
  changedAtMs(version: number): number | undefined {
    return this.#holds(version) ? this.#times[version % REMEMBERED] : undefined
  }

  #holds(version: number): boolean {
    return version <= this.#version && version > this.#version - REMEMBERED
  }
}
