import type { HealthConfig } from '../../shared/config/model.ts'
import type { ServerState } from '../../shared/ipc/server-state.ts'
import type { PickContext } from './pick-context.ts'
import type { Accepting, BoardView } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { NO_LIMIT } from './server-group.ts'

/** Slots of the servers that earlier attempts of the same exchange went to. */
export type Excluded = readonly number[]

export const NOTHING_EXCLUDED: Excluded = []

/** Milliseconds. */
const LONGEST_DISTRUST_MS = 60_000

/** What a server counts as before the first verdict of its check. */
export type Initial = HealthConfig['initial']

/** Each server has one. Only `usable` ones take traffic; `draining` ones keep their sticky users; `ejected` ones serve in a panic. */
export type Standing = 'usable' | 'ejected' | 'down' | 'draining' | 'unknown'

/** `weight`: with what the primary makes of it; 0 drains. A server in maintenance is down. */
export function standingOf(state: ServerState, weight: number, initial: Initial): Standing {
  const health = state.health === 'unknown' && initial !== 'hold' ? initial : state.health
  if (state.admin === 'maint' || health === 'down') return 'down'
  if (state.admin === 'drain' || weight <= 0) return 'draining'
  if (health === 'unknown') return 'unknown'
  return state.isEjected ? 'ejected' : 'usable'
}

/** Whether a server may go on serving the clients that are bound to it: also while it drains, but not without a verdict. */
export function keepsSticky(state: ServerState, standing: Standing, initial: Initial, isPanicking: boolean): boolean {
  if (standing === 'usable') return true
  if (standing === 'ejected') return isPanicking
  return standing === 'draining' && !state.isStrict && !state.isEjected && (state.health === 'up' || initial === 'up')
}

/**
 * Who of a group may be picked, for the length of one pick. One object per group, filled anew for each pick; servers are
 * asked about one by one, because a policy for a thousand servers looks at a few of them only.
 */
export class Eligible implements Accepting {
  readonly group: ServerGroup
  #board: BoardView
  #now = 0
  #excluded: Excluded = NOTHING_EXCLUDED
  #trustsAll = false

  constructor(group: ServerGroup, board: BoardView) {
    this.group = group
    this.#board = board
  }

  /** Begins a pick. */
  at(context: PickContext, trust: 'trusted' | 'any'): this {
    this.#board = context.board
    this.#now = context.now
    this.#excluded = context.excluded
    this.#trustsAll = trust === 'any'
    return this
  }

  /** Active (weight above 0, usable), trusted, not tried before, and below its limit. */
  accepts(position: number): boolean {
    return this.group.isActive[position] === 1 && this.hasRoom(position)
  }

  /** Whether nothing but its standing may be against a server: trusted, not tried before, and below its limit. */
  hasRoom(position: number): boolean {
    const group = this.group
    if (!this.#trustsAll && this.isDistrusted(position)) return false
    const slot = group.slots[position] as number
    const excluded = this.#excluded
    for (let i = 0; i < excluded.length; i++) if (excluded[i] === slot) return false
    const limit = group.limits[position] as number
    return limit === NO_LIMIT || (this.#board.inFlight[slot * this.#board.stride + this.#board.offset] as number) < limit
  }

  isDistrusted(position: number): boolean {
    // The clock has 31 bits of milliseconds: a time that seems far ahead was noted before it began anew.
    const left = (this.group.distrustedUntil[position] as number) - this.#now
    return left > 0 && left <= LONGEST_DISTRUST_MS
  }
}
