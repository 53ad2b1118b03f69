import type { PickContext } from './pick-context.ts'
import type { BoardView } from './picker.ts'
import type { ServerGroup } from './server-group.ts'

/** For quotients that are whole numbers but for the last bit. */
const MARGIN = 1 + 1e-9

/** In larger groups counting all exchanges costs as much as the request, so one count serves several picks. */
const EXACT = 64

/** In the same millisecond. */
const MOST_PICKS = 32

/** Where a count of before comes as close to the bound as this many exchanges, they are counted anew. */
const SLACK = 64

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018): with the new one there are `total` exchanges in
 * the group, and no server has more than ceil(factor * total * its share of the weight). Since the bounds add up to more than
 * the total, some server always has room.
 */
export class LoadBound {
  readonly #group: ServerGroup
  readonly #factor: number
  #board: BoardView = { inFlight: new Int32Array(0), stride: 0, offset: 0 }
  /** In flight on the servers before #summed: as far as this pick had to know. */
  #sum = 0
  #summed = 0
  /** In flight on all of a large group, when it was counted last. */
  #estimate = 0
  #estimatedAt = -1
  #picksLeft = 0

  constructor(group: ServerGroup, factor: number) {
    this.#group = group
    this.#factor = factor
  }

  /** Begins a pick. */
  at({ board, now }: PickContext): void {
    this.#board = board
    this.#sum = 0
    this.#summed = 0
    this.#picksLeft = now === this.#estimatedAt ? Math.max(0, this.#picksLeft - 1) : 0
    this.#estimatedAt = now
  }

  /** Whether one more stays in the bound. load + 1 <= ceil(x) is load < x, so it takes no rounding. */
  allows(position: number): boolean {
    const load = this.#load(position)
    if (load <= 0) return true
    const needed = ((load * this.#group.activeWeight) / (this.#factor * (this.#group.weights[position] as number))) * MARGIN
    const distance = this.#group.size > EXACT ? this.#distanceOf(needed) : 0
    return distance === 0 ? this.#countUpTo(needed) : distance > 0
  }

  /** How far the count of a while ago is above what is needed; 0 when that is too close to tell. */
  #distanceOf(needed: number): number {
    if (this.#picksLeft === 0) {
      this.#countUpTo(Infinity)
      this.#estimate = this.#sum
      this.#picksLeft = MOST_PICKS
    }
    const distance = this.#estimate + 1 - needed
    return Math.abs(distance) > SLACK ? distance : 0
  }

  /** Counts on only as far as the answer needs. */
  #countUpTo(needed: number): boolean {
    while (this.#sum + 1 <= needed && this.#summed < this.#group.size) this.#sum += Math.max(0, this.#load(this.#summed++))
    return this.#sum + 1 > needed
  }

  #load(position: number): number {
    const { inFlight, stride, offset } = this.#board
    return inFlight[(this.#group.slots[position] as number) * stride + offset] as number
  }
}
