import { EarliestDeadline } from './earliest-deadline.ts'
import type { Eligible } from './eligible.ts'
import type { Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { SmoothTurns } from './smooth-turns.ts'

/** Up to this many servers each pick looks at all of them, which spreads the weights best. */
const SMALL = 64

/** Each server in turn, as often as its weight says, and never in bursts. */
export function roundRobin(group: ServerGroup, start: number): Policy {
  return group.size <= SMALL ? new SmoothRoundRobin(group, start) : new EarliestDeadline(group, start)
}

/** Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a. Cost: one look at each server. */
class SmoothRoundRobin implements Policy {
  readonly #turns: SmoothTurns

  constructor(group: ServerGroup, start: number) {
    this.#turns = new SmoothTurns(group)
    for (let i = 0; i < start % SMALL; i++) this.#advance()
  }

  pick(eligible: Eligible): number {
    const size = eligible.group.size
    const turns = this.#turns
    turns.begin()
    for (let i = 0; i < size; i++) if (eligible.accepts(i)) turns.offer(i)
    return turns.take()
  }

  #advance(): void {
    const group = this.#turns.group
    this.#turns.begin()
    for (let i = 0; i < group.size; i++) if (group.isActive[i] === 1) this.#turns.offer(i)
    this.#turns.take()
  }
}
