import type { Eligible } from './eligible.ts'
import type { PickContext } from './pick-context.ts'
import type { Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Any server, as often as its weight says. */
export function random(group: ServerGroup): Policy {
  return new Random(group)
}

class Random implements Policy {
  readonly #draw: WeightedDraw

  constructor(group: ServerGroup) {
    this.#draw = new WeightedDraw(group)
  }

  pick(eligible: Eligible, context: PickContext): number {
    return this.#draw.draw(eligible, context.random)
  }

  adopt(): void {}
}
