import type { ServerRemoval } from '../shared/ipc/server-state.ts'

/**
 * Who has which row of the board. A row keeps its occupant for as long as there is one, and is kept for it after that: it is
 * free only when every worker has confirmed that the server is gone and nothing is in flight on it. Else a late message or
 * a late end of a request about the old occupant would hit the new one.
 */
export class ServerSlots {
  readonly #rows: number
  readonly #taken = new Map<string, number>()
  readonly #kept = new Map<string, ServerRemoval>()
  /** Longest free first. */
  readonly #free: number[] = []
  #next = 0

  /** `rows`: how many there are. */
  constructor(rows: number) {
    this.#rows = rows
  }

  /** Rows of removed servers that are not free yet, with the versions of the removals. */
  get kept(): Iterable<ServerRemoval> {
    return this.#kept.values()
  }

  get(server: string): number | undefined {
    return this.#taken.get(server)
  }

  /** Throws an Error, which says how many there may be, when not all of these have or get a row. */
  checkRoom(servers: readonly string[]): void {
    if (servers.length > this.#rows) {
      throw new Error(`the configuration has ${servers.length} servers; at most ${this.#rows} are possible`)
    }
    const fresh = servers.filter((server) => !this.#taken.has(server) && !this.#kept.has(server)).length
    const free = this.#free.length + this.#rows - this.#next
    if (fresh > free) {
      throw new Error(
        `there is room for ${free} more servers, not for ${fresh}, until the last of ${this.#kept.size} removed ones is empty`,
      )
    }
  }

  /** A row for a server without one. One that was removed a moment ago gets its own again, with what is still in flight on it. */
  take(server: string): number {
    const slot = this.#kept.get(server)?.slot ?? this.#free.shift() ?? this.#next++
    this.#kept.delete(server)
    this.#taken.set(server, slot)
    return slot
  }

  /** The server is removed with this version of the table. */
  release(server: string, version: number): void {
    const slot = this.#taken.get(server)
    if (slot === undefined) return
    this.#taken.delete(server)
    this.#kept.set(server, { server, slot, version })
  }

  /** Frees rows whose removal every worker has confirmed and on which nothing is in flight; answers which. */
  settle(confirmedVersion: number, inFlight: (slot: number) => number): number[] {
    const freed: number[] = []
    for (const { server, slot, version } of this.#kept.values()) {
      if (version > confirmedVersion || inFlight(slot) !== 0) continue
      this.#kept.delete(server)
      freed.push(slot)
    }
    this.#free.push(...freed)
    return freed
  }
}
