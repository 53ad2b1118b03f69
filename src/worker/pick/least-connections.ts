import type { Eligible } from './eligible.ts'
import type { BoardView, Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { SmoothTurns } from './smooth-turns.ts'

/** Up to this many servers the least loaded one is found exactly. */
const EXACT = 64

/** How many eligible servers of a larger group are compared. */
const SAMPLE = 32

/** The server with the fewest exchanges in flight for its weight, counted over all workers. */
export function leastConnections(group: ServerGroup, start: number): Policy {
  return new LeastConnections(group, start)
}

/**
 * Finds the least load (in flight / weight) among the servers that follow the one picked last. Servers of the same load take
 * turns: in order when all weights are equal, else by smooth weighted turns, so that weights count on an idle upstream too.
 *
 * A large group is not read whole: every counter is a cache line that other workers write, and a thousand of them would cost
 * as much as the request. 32 servers are compared, and since each pick starts behind the last, all are visited. The least of
 * 32 is almost always among the least loaded few per cent (two choices already bring the longest queue down to log log n), and
 * workers that look at different windows do not all run to the same idle server.
 */
class LeastConnections implements Policy {
  readonly #group: ServerGroup
  readonly #turns: SmoothTurns
  readonly #sample: number
  /** Where the next pick starts to look. */
  #cursor: number
  /** Positions with the least load seen in this pick. */
  readonly #tied: Int32Array

  constructor(group: ServerGroup, start: number) {
    this.#group = group
    this.#turns = new SmoothTurns(group)
    this.#sample = group.size <= EXACT ? group.size : SAMPLE
    this.#cursor = group.size === 0 ? 0 : start % group.size
    this.#tied = new Int32Array(this.#sample)
  }

  pick(eligible: Eligible, board: BoardView, _now: number, _random: number): number {
    const ties = this.#collectLeast(eligible, board)
    if (ties === 0) return -1
    const position = ties === 1 || this.#group.isUniform ? (this.#tied[0] as number) : this.#nextTurn(ties)
    this.#cursor = position + 1 === this.#group.size ? 0 : position + 1
    return position
  }

  /** Fills #tied in the order of the rotation and answers how many. */
  #collectLeast(eligible: Eligible, board: BoardView): number {
    const { size, slots, weights } = this.#group
    const { inFlight, stride, offset } = board
    let least = Infinity
    let ties = 0
    let left = this.#sample
    let position = this.#cursor
    for (let looked = 0; looked < size && left > 0; looked++) {
      if (eligible.accepts(position)) {
        left--
        const load = (inFlight[(slots[position] as number) * stride + offset] as number) / (weights[position] as number)
        if (load < least) ties = 0
        if (load <= least) {
          least = load
          this.#tied[ties++] = position
        }
      }
      if (++position === size) position = 0
    }
    return ties
  }

  #nextTurn(ties: number): number {
    const turns = this.#turns
    turns.begin()
    for (let i = 0; i < ties; i++) turns.offer(this.#tied[i] as number)
    return turns.take()
  }
}
