/** A state machine whose edges are data: one table of legal moves, one setter, a reason in every move. */
export interface Machine<State extends string> {
  readonly at: State
  /** Moves and logs. False, and nothing happens, when the table has no such edge: the caller cleans up what came too late. */
  to(next: State, why: string): boolean
}

export type Edges<State extends string> = Readonly<Record<State, readonly State[]>>

/** Starts a machine at `start`. `log` gets lines like `worker 3: ready -> draining (reload)`. */
export function machine<State extends string>(
  name: string,
  edges: Edges<State>,
  start: State,
  log: (line: string) => void,
): Machine<State> {
  let at = start
  return {
    get at() {
      return at
    },
    to(next, why) {
      if (!edges[at].includes(next)) return false
      log(`${name}: ${at} -> ${next} (${why})`)
      at = next
      return true
    },
  }
}
