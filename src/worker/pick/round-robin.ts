import { EarliestDeadline } from './earliest-deadline.ts'
import type { Eligible } from './eligible.ts'
import type { Policy, PolicyOptions } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { SmoothTurns } from './smooth-turns.ts'

/** Up to this many servers each pick looks at all of them, which spreads the weights best. */
const SMALL = 64

/** Each server in turn, as often as its weight says, and never in bursts. */
export function roundRobin(group: ServerGroup, { start }: PolicyOptions): Policy {
  return group.size <= SMALL ? new SmoothRoundRobin(group, start) : new EarliestDeadline(group, start)
}

/** Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a. Cost: one look at each server. */
class SmoothRoundRobin implements Policy {
  readonly #turns: SmoothTurns
  /** Turns to skip at the first pick: before it, nobody may be up. */
  #ahead: number

  constructor(group: ServerGroup, start: number) {
    this.#turns = new SmoothTurns(group)
    this.#ahead = start % SMALL
  }

  pick(eligible: Eligible): number {
    const size = eligible.group.size
    const turns = this.#turns
    if (this.#ahead > 0) this.#skipAhead()
    turns.begin()
    for (let i = 0; i < size; i++) if (eligible.accepts(i)) turns.offer(i)
    return turns.take()
  }

  adopt(from: Policy, positions: Int32Array): void {
    if (!(from instanceof SmoothRoundRobin)) return
    this.#turns.adopt(from.#turns, positions)
    this.#ahead = from.#ahead
  }

  #skipAhead(): void {
    const { size, isActive } = this.#turns.group
    for (; this.#ahead > 0; this.#ahead--) {
      this.#turns.begin()
      for (let i = 0; i < size; i++) if (isActive[i] === 1) this.#turns.offer(i)
      if (this.#turns.take() < 0) return
    }
  }
}
