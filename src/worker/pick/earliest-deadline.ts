import type { Eligible } from './eligible.ts'
import type { Policy } from './picker.ts'
import type { ServerGroup } from './server-group.ts'

/** After so many servers in a row that may not be picked, the heap is left alone and the group is scanned. */
const MOST_SKIPS = 32

/**
 * Weighted round robin for large groups: each server is due every 1/weight, and the one due first is picked. A binary heap
 * makes a pick cost O(log n) instead of a look at each server. A server that may not be picked when it is due loses that
 * turn. Ties go by position, so equal servers come in their order.
 */
export class EarliestDeadline implements Policy {
  readonly #group: ServerGroup
  readonly #due: Float64Array
  /** Positions of the active servers, as a heap by due time. */
  readonly #heap: Int32Array
  #count = 0
  #clock = 0
  #version = -1
  #scanFrom = 0
  /** Turns to skip at the first pick: before it, nobody may be up. */
  #ahead: number

  constructor(group: ServerGroup, start: number) {
    this.#group = group
    this.#due = new Float64Array(group.size).fill(-1)
    this.#heap = new Int32Array(group.size)
    this.#ahead = start % group.size
  }

  pick(eligible: Eligible): number {
    if (this.#version !== this.#group.version) this.#rebuild()
    for (; this.#ahead > 0 && this.#count > 0; this.#ahead--) this.#turn()
    const tries = Math.min(this.#count, MOST_SKIPS)
    for (let i = 0; i < tries; i++) {
      const position = this.#turn()
      if (eligible.accepts(position)) return position
    }
    return this.#count > tries ? this.#scan(eligible) : -1
  }

  /** A new server comes in half a turn from now, like one that was down. */
  adopt(from: Policy, positions: Int32Array): void {
    if (!(from instanceof EarliestDeadline)) return
    this.#clock = from.#clock
    this.#ahead = from.#ahead
    for (let i = 0; i < positions.length; i++) {
      const was = positions[i] as number
      this.#due[i] = was < 0 ? -1 : (from.#due[was] as number)
    }
    this.#version = -1
  }

  /** Takes the server that is due first and puts it back with its next due time. */
  #turn(): number {
    const position = this.#heap[0] as number
    this.#clock = this.#due[position] as number
    this.#due[position] = this.#clock + 1 / (this.#group.weights[position] as number)
    this.#sink(0)
    return position
  }

  /** Nearly all servers are full or distrusted: take the next one in order that is not. */
  #scan(eligible: Eligible): number {
    const size = this.#group.size
    for (let i = 0; i < size; i++) {
      const position = (this.#scanFrom + i) % size
      if (!eligible.accepts(position)) continue
      this.#scanFrom = (position + 1) % size
      return position
    }
    return -1
  }

  /** Keeps the due times of servers that stay, so that a change of one server does not start the others' rotation again. */
  #rebuild(): void {
    const group = this.#group
    this.#version = group.version
    this.#count = 0
    for (let i = 0; i < group.size; i++) {
      if (group.isActive[i] === 0) this.#due[i] = -1
      else {
        const step = 1 / (group.weights[i] as number)
        const due = this.#due[i] as number
        this.#due[i] = due >= this.#clock ? Math.min(due, this.#clock + step) : this.#clock + step / 2
        this.#heap[this.#count++] = i
      }
    }
    for (let i = (this.#count >> 1) - 1; i >= 0; i--) this.#sink(i)
  }

  #sink(from: number): void {
    const heap = this.#heap
    const moved = heap[from] as number
    let at = from
    for (let child = 2 * at + 1; child < this.#count; child = 2 * at + 1) {
      if (child + 1 < this.#count && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child++
      if (!this.#isBefore(heap[child] as number, moved)) break
      heap[at] = heap[child] as number
      at = child
    }
    heap[at] = moved
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#due[a] as number) - (this.#due[b] as number)
    return difference < 0 || (difference === 0 && a < b)
  }
}
