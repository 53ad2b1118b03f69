import type { Eligible } from './eligible.ts'
import { LeastCost } from './least-cost.ts'
import type { PickContext } from './pick-context.ts'
import type { Policy, PolicyOptions } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Microseconds. What a server that was never measured is taken for once it has a request: slower than any. */
const UNMEASURED_US = 1e9

/** One pick of so many goes to any idle server, so that one that was slow once is measured again. */
const EXPLORE = 64

/** The server that will answer first: its time to the first byte, for each exchange in flight and this one, over its weight. */
export function leastTime(group: ServerGroup, { start }: PolicyOptions): Policy {
  return new LeastTime(group, start)
}

/** A server that was never measured is tried at once, by one request; the next ones wait for what that tells. */
function expectedTime(inFlight: number, weight: number, slot: number, context: PickContext): number {
  const measured = context.latencies.read(slot)
  if (measured > 0) return (measured * (inFlight + 1)) / weight
  return inFlight === 0 ? 0 : (UNMEASURED_US * (inFlight + 1)) / weight
}

class LeastTime implements Policy {
  readonly #group: ServerGroup
  readonly #least: LeastCost
  readonly #draw: WeightedDraw
  #picks = 0

  constructor(group: ServerGroup, start: number) {
    this.#group = group
    this.#least = new LeastCost(group, start, expectedTime)
    this.#draw = new WeightedDraw(group)
  }

  pick(eligible: Eligible, context: PickContext): number {
    this.#picks = (this.#picks + 1) % EXPLORE
    if (this.#picks === 0) {
      const any = this.#draw.draw(eligible, context.random)
      if (any >= 0 && this.#isIdle(any, context)) return any
    }
    return this.#least.pick(eligible, context)
  }

  adopt(from: Policy, positions: Int32Array): void {
    if (from instanceof LeastTime) this.#least.adopt(from.#least, positions)
  }

  #isIdle(position: number, { board }: PickContext): boolean {
    return board.inFlight[(this.#group.slots[position] as number) * board.stride + board.offset] === 0
  }
}
