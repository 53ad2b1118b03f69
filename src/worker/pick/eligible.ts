import type { BoardView } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { NO_LIMIT } from './server-group.ts'

/** Slots of the servers that earlier attempts of the same exchange went to. */
export type Excluded = readonly number[]

export const NOTHING_EXCLUDED: Excluded = []

/** Milliseconds. */
const LONGEST_DISTRUST_MS = 60_000

/**
 * Who of a group may be picked, for the length of one pick. One object per group, filled anew for each pick; servers are
 * asked about one by one, because a policy for a thousand servers looks at a few of them only.
 */
export class Eligible {
  readonly group: ServerGroup
  #board: BoardView
  #now = 0
  #excluded: Excluded = NOTHING_EXCLUDED

  constructor(group: ServerGroup, board: BoardView) {
    this.group = group
    this.#board = board
  }

  /** Begins a pick. */
  at(board: BoardView, now: number, excluded: Excluded): this {
    this.#board = board
    this.#now = now
    this.#excluded = excluded
    return this
  }

  /** Active (weight above 0, usable), trusted, not tried before, and below its limit. */
  accepts(position: number): boolean {
    const group = this.group
    // The clock has 31 bits of milliseconds: a time that seems far ahead was noted before it began anew.
    const distrustLeft = (group.distrustedUntil[position] as number) - this.#now
    if (group.isActive[position] === 0 || (distrustLeft > 0 && distrustLeft <= LONGEST_DISTRUST_MS)) return false
    const slot = group.slots[position] as number
    const excluded = this.#excluded
    for (let i = 0; i < excluded.length; i++) if (excluded[i] === slot) return false
    const limit = group.limits[position] as number
    return limit === NO_LIMIT || (this.#board.inFlight[slot * this.#board.stride + this.#board.offset] as number) < limit
  }
}
