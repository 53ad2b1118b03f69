import type { Eligible } from './eligible.ts'
import { mix32 } from './hash-text.ts'
import { LoadBound } from './load-bound.ts'
import type { PickContext } from './pick-context.ts'
import type { Accepting } from './picker.ts'
import type { ServerGroup } from './server-group.ts'

/**
 * Who may be picked for a key: eligible, within the bound of the load, and warm enough for it. A server at 30 % of its slow
 * start serves 30 % of its keys, always the same ones and more as it goes on; the others go to the next in the table.
 */
export class KeyedChoice implements Accepting {
  /** The first server that only its slow start was against, -1 for none: for when there is no other. */
  spare = -1
  readonly #group: ServerGroup
  readonly #bound: LoadBound | null
  #eligible: Eligible | null = null
  #hash = 0
  #isKeyed = false

  constructor(group: ServerGroup, boundedLoad: number | null) {
    this.#group = group
    this.#bound = boundedLoad === null ? null : new LoadBound(group, boundedLoad)
  }

  keyed(eligible: Eligible, context: PickContext, hash: number): this {
    this.#isKeyed = true
    this.#hash = hash
    return this.#at(eligible, context)
  }

  keyless(eligible: Eligible, context: PickContext): this {
    this.#isKeyed = false
    return this.#at(eligible, context)
  }

  accepts(position: number): boolean {
    if (!(this.#eligible as Eligible).accepts(position)) return false
    if (this.#bound !== null && !this.#bound.allows(position)) return false
    if (!this.#isKeyed || this.#isWarm(position)) return true
    if (this.spare < 0) this.spare = position
    return false
  }

  #at(eligible: Eligible, context: PickContext): this {
    this.#eligible = eligible
    this.spare = -1
    this.#bound?.at(context)
    return this
  }

  /** Measured against the warmest server: where all began together, none is passed over. */
  #isWarm(position: number): boolean {
    const { ramps, topRamp, seeds } = this.#group
    const ramp = ramps[position] as number
    if (ramp >= topRamp) return true
    const drawn = mix32((this.#hash ^ (seeds[position] as number)) + 0x51ed270b) / 2 ** 32
    return drawn * topRamp < ramp
  }
}
