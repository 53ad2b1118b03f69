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

/**
 * Which route has which row of the board. A route is known by its listener and its match, so a reload that leaves those alone leaves its
 * counters alone. The first rows are those of listeners, for requests that reached no route, and for routes that got no row.
 */
export class RouteRows {
  readonly #rows = new Map<string, RouteRow>()
  readonly #clear: (row: number) => void
  #next: number = abi.board.listeners

  /** `clear` is told of a row that gets another occupant. */
  constructor(clear: (row: number) => void) {
    this.#clear = clear
  }

  /** Rows of these listeners' routes, in their order. */
  take(listeners: readonly ListenerConfig[], opened: readonly Pick<OpenListener, 'slot'>[]): number[][] {
    const names = listeners.map(({ name, routes }) =>
      routeNames(
        name,
        routes.map(({ match }) => matchText(match)),
      ),
    )
    const wanted = new Set(names.flat().map(({ key }) => key))
    return listeners.map(({ name }, i) =>
      (names[i] ?? []).map((route) => this.#rowOf(route.key, { listener: name, name: route.name }, wanted) ?? opened[i]?.slot ?? 0),
    )
  }

  /** All that have a row; also those that are no more, until somebody else needs theirs. */
  get all(): RouteRow[] {
    return [...this.#rows.values()]
  }

  #rowOf(key: string, route: Omit<RouteRow, 'row'>, wanted: ReadonlySet<string>): number | undefined {
    const known = this.#rows.get(key)
    if (known !== undefined) return known.row
    const row = this.#next < abi.board.routes ? this.#next++ : this.#takeOver(wanted)
    if (row !== undefined) this.#rows.set(key, { row, ...route })
    return row
  }

  /** The row of a route that has been gone for longest. */
  #takeOver(wanted: ReadonlySet<string>): number | undefined {
    for (const [key, { row }] of this.#rows) {
      if (wanted.has(key)) continue
      this.#rows.delete(key)
      this.#clear(row)
      return row
    }
    return undefined
  }
}

/** Two routes of one listener may match the same; they are told apart by their number. */
function routeNames(listener: string, texts: readonly string[]): { key: string; name: string }[] {
  const seen = new Map<string, number>()
  return texts.map((text) => {
    const count = (seen.get(text) ?? 0) + 1
    seen.set(text, count)
    const name = count === 1 ? text : `${text} #${count}`
    return { key: `${listener}\n${name}`, name }
  })
}
