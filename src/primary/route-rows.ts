import { abi } from '../native/abi.ts'
import type { ListenerConfig } from '../shared/config/model.ts'
import type { OpenListener } from './listening-sockets.ts'
import { matchText } from './reload/match-text.ts'

/** A route's row of the board, and what it is called. */
export interface RouteRow {
  row: number
  listener: string
  name: string
}

export interface RouteRowsOptions {
  /** How many of a route's exchanges and tunnels are still open. */
  active(row: number): number
  /** The row gets another occupant. */
  clear(row: number): void
  /** How many rows there are. */
  rows: number
}

/**
 * Which route has which row of the board. A route is known by its listener and its match, so a reload that leaves those alone leaves its
 * counters alone. The first rows are those of listeners, for requests that reached no route, and for routes that got no row.
 */
export class RouteRows {
  readonly #options: RouteRowsOptions
  readonly #rows = new Map<string, RouteRow>()
  /** Of routes that are gone, longest gone first. What is open on them still counts there. */
  readonly #left: number[] = []
  #next: number = abi.board.listeners

  constructor(options: RouteRowsOptions) {
    this.#options = options
  }

  /** Rows of these listeners' routes, in their order; also of a config that is not in force yet, and may never be. */
  take(listeners: readonly ListenerConfig[], opened: readonly Pick<OpenListener, 'slot'>[]): number[][] {
    return listeners.map((listener, i) => namesOf(listener).map((name) => this.#rowOf(listener.name, name) ?? opened[i]?.slot ?? 0))
  }

  /** These are in force: routes of others are gone. */
  settle(listeners: readonly ListenerConfig[]): void {
    const kept = new Set(listeners.flatMap((listener) => namesOf(listener).map((name) => keyOf(listener.name, name))))
    for (const [key, { row }] of this.#rows) {
      if (kept.has(key)) continue
      this.#rows.delete(key)
      this.#left.push(row)
    }
  }

  get all(): RouteRow[] {
    return [...this.#rows.values()]
  }

  #rowOf(listener: string, name: string): number | undefined {
    const key = keyOf(listener, name)
    const known = this.#rows.get(key)
    if (known !== undefined) return known.row
    const row = this.#next < this.#options.rows ? this.#next++ : this.#takeOver()
    if (row !== undefined) this.#rows.set(key, { row, listener, name })
    return row
  }

  #takeOver(): number | undefined {
    const at = this.#left.findIndex((row) => this.#options.active(row) === 0)
    if (at === -1) return undefined
    const [row] = this.#left.splice(at, 1) as [number]
    this.#options.clear(row)
    return row
  }
}

/** Two routes of one listener may match the same; they are told apart by their number. */
function namesOf({ routes }: ListenerConfig): string[] {
  const seen = new Map<string, number>()
  return routes.map(({ match }) => {
    const text = matchText(match)
    const count = (seen.get(text) ?? 0) + 1
    seen.set(text, count)
    return count === 1 ? text : `${text} #${count}`
  })
}

/** No name of a listener has a line end. */
const keyOf = (listener: string, name: string) => `${listener}\n${name}`
