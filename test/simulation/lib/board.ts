/** Requests in flight, by row and worker, and whose they are. */
export class SimulatedBoard {
  readonly #totals: number[]
  readonly #columns = new Map<number, number[]>()
  /** Requests in flight of each name on a row: there must never be two names. */
  readonly #names: Map<string, number>[]

  constructor(rows: number) {
    this.#totals = new Array(rows).fill(0)
    this.#names = Array.from({ length: rows }, () => new Map())
  }

  get rows(): number {
    return this.#totals.length
  }

  inFlight(slot: number): number {
    return this.#totals[slot]!
  }

  total(): number {
    return this.#totals.reduce((sum, one) => sum + one, 0)
  }

  /** Another server that has requests in flight on this row. */
  stranger(slot: number, server: string): string | undefined {
    return [...this.#names[slot]!].find(([name, count]) => name !== server && count > 0)?.[0]
  }

  add(worker: number, slot: number, server: string, change: 1 | -1): void {
    const column = this.#columns.get(worker) ?? new Array(this.#totals.length).fill(0)
    this.#columns.set(worker, column)
    column[slot] += change
    this.#totals[slot]! += change
    this.#name(slot, server, change)
  }

  /** The worker is dead: the primary takes its numbers out. What the names are is known to its requests. */
  clearColumn(worker: number, open: Iterable<{ slot: number; server: string }>): void {
    this.#columns.get(worker)?.forEach((count, slot) => {
      this.#totals[slot]! -= count
    })
    this.#columns.delete(worker)
    for (const { slot, server } of open) this.#name(slot, server, -1)
  }

  #name(slot: number, server: string, change: number): void {
    const names = this.#names[slot]!
    names.set(server, (names.get(server) ?? 0) + change)
  }
}
