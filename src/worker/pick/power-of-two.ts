import type { Eligible } from './eligible.ts'
import type { PickContext } from './pick-context.ts'
import type { Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** The less loaded of two servers drawn by weight: nearly as level as least-connections at the price of two looks. */
export function powerOfTwo(group: ServerGroup): Policy {
  return new PowerOfTwo(group)
}

class PowerOfTwo implements Policy {
  readonly #group: ServerGroup
  readonly #draw: WeightedDraw

  constructor(group: ServerGroup) {
    this.#group = group
    this.#draw = new WeightedDraw(group)
  }

  pick(eligible: Eligible, context: PickContext): number {
    const first = this.#draw.draw(eligible, context.random)
    if (first < 0) return -1
    const second = this.#draw.draw(eligible, context.random, first)
    return second < 0 || !this.#isBetter(second, first, context) ? first : second
  }

  adopt(): void {}

  /** By (in flight + 1) / weight. Of two idle servers the first drawn stays, or the heavier would get far more than its share. */
  #isBetter(second: number, first: number, { board: { inFlight, stride, offset } }: PickContext): boolean {
    const { slots, weights } = this.#group
    const a = inFlight[(slots[first] as number) * stride + offset] as number
    const b = inFlight[(slots[second] as number) * stride + offset] as number
    if (a === 0 && b === 0) return false
    return (b + 1) / (weights[second] as number) < (a + 1) / (weights[first] as number)
  }
}
