import type { Eligible } from './eligible.ts'
import type { PickContext } from './pick-context.ts'
import type { Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { SmoothTurns } from './smooth-turns.ts'

/** Up to this many servers the least one is found exactly. */
const EXACT = 64

/** How many eligible servers of a larger group are compared. */
const SAMPLE = 32

/** What one more exchange costs on a server with so many in flight. Lower is better. */
export type Cost = (inFlight: number, weight: number, slot: number, context: PickContext) => number

/**
 * Finds the least cost among the servers that follow the one picked last. Servers of the same cost take
 * turns: in order when all weights are equal, else by smooth weighted turns, so that weights count on an idle upstream too.
 *
 * A large group is not read whole: every counter is a cache line that other workers write, and a thousand of them would cost
 * as much as the request. 32 servers are compared, and since each pick starts behind the last, all are visited. The least of
 * 32 is almost always among the least loaded few per cent (two choices already bring the longest queue down to log log n), and
 * workers that look at different windows do not all run to the same idle server.
 */
export class LeastCost implements Policy {
  readonly #group: ServerGroup
  readonly #cost: Cost
  readonly #turns: SmoothTurns
  readonly #sample: number
  /** Where the next pick starts to look. */
  #cursor: number
  /** Positions with the least cost seen in this pick. */
  readonly #tied: Int32Array

  constructor(group: ServerGroup, start: number, cost: Cost) {
    this.#group = group
    this.#cost = cost
    this.#turns = new SmoothTurns(group)
    this.#sample = group.size <= EXACT ? group.size : SAMPLE
    this.#cursor = group.size === 0 ? 0 : start % group.size
    this.#tied = new Int32Array(this.#sample)
  }

  pick(eligible: Eligible, context: PickContext): number {
    const ties = this.#collectLeast(eligible, context)
    if (ties === 0) return -1
    const position = ties === 1 || this.#group.isUniform ? (this.#tied[0] as number) : this.#nextTurn(ties)
    this.#cursor = position + 1 === this.#group.size ? 0 : position + 1
    return position
  }

  /** Goes on behind the server that the other picked last. */
  adopt(from: Policy, positions: Int32Array): void {
    if (!(from instanceof LeastCost)) return
    this.#turns.adopt(from.#turns, positions)
    const next = positions.findIndex((was) => was >= from.#cursor)
    this.#cursor = next < 0 ? 0 : next
  }

  /** Fills #tied in the order of the rotation and answers how many. */
  #collectLeast(eligible: Eligible, context: PickContext): number {
    const { size, slots, weights } = this.#group
    const { inFlight, stride, offset } = context.board
    const costOf = this.#cost
    let least = Infinity
    let ties = 0
    let left = this.#sample
    let position = this.#cursor
    for (let looked = 0; looked < size && left > 0; looked++) {
      if (eligible.accepts(position)) {
        left--
        const slot = slots[position] as number
        const cost = costOf(inFlight[slot * stride + offset] as number, weights[position] as number, slot, context)
        if (cost < least) ties = 0
        if (cost <= least) {
          least = cost
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
