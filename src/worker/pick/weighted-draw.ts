import type { Accepting } from './picker.ts'
import type { ServerGroup } from './server-group.ts'

/** Draws that may hit servers which may not be picked, before all are looked at. */
const MOST_DRAWS = 16

/**
 * Draws servers at random by weight in constant time: Walker's alias method (1977) in Vose's form. Each active server has a cell of
 * the same size, filled up by part of a heavier server.
 */
export class WeightedDraw {
  readonly #group: ServerGroup
  /** Positions of active servers, by cell. */
  readonly #cells: Int32Array
  /** Position of the server that has the rest of a cell. */
  readonly #aliases: Int32Array
  /** How much of a cell is its own server's, 0 to 1. */
  readonly #parts: Float64Array
  readonly #work: Int32Array
  #count = 0
  #version = -1

  constructor(group: ServerGroup) {
    this.#group = group
    this.#cells = new Int32Array(group.size)
    this.#aliases = new Int32Array(group.size)
    this.#parts = new Float64Array(group.size)
    this.#work = new Int32Array(group.size)
  }

  /** Position, -1 when nobody but `except` is accepted. */
  draw(choice: Accepting, random: () => number, except = -1): number {
    if (this.#version !== this.#group.version) this.#rebuild()
    for (let i = Math.min(MOST_DRAWS, 4 * this.#count); i > 0; i--) {
      const position = this.#drawOne(random())
      if (position !== except && choice.accepts(position)) return position
    }
    return this.#search(choice, random, except)
  }

  #drawOne(random: number): number {
    const at = random * this.#count
    const cell = Math.floor(at)
    return at - cell < (this.#parts[cell] as number) ? (this.#cells[cell] as number) : (this.#aliases[cell] as number)
  }

  /** Exact, with a look at each server: those that are accepted replace the one held with their share of the weight so far. */
  #search(choice: Accepting, random: () => number, except: number): number {
    let held = -1
    let sum = 0
    for (let i = 0; i < this.#count; i++) {
      const position = this.#cells[i] as number
      if (position === except || !choice.accepts(position)) continue
      const weight = this.#group.weights[position] as number
      sum += weight
      if (held < 0 || random() * sum < weight) held = position
    }
    return held
  }

  /** Light cells grow from the left of #work, heavy ones from its right. */
  #rebuild(): void {
    const { size, isActive, weights, activeWeight, version } = this.#group
    this.#version = version
    this.#count = 0
    for (let i = 0; i < size; i++) if (isActive[i] === 1) this.#cells[this.#count++] = i
    let light = 0
    let heavy = this.#count
    for (let cell = 0; cell < this.#count; cell++) {
      const position = this.#cells[cell] as number
      const part = ((weights[position] as number) / activeWeight) * this.#count
      this.#parts[cell] = part
      this.#aliases[cell] = position
      if (part < 1) this.#work[light++] = cell
      else this.#work[--heavy] = cell
    }
    this.#fillUp(light, heavy)
  }

  /** Each light cell gets its rest from a heavy one, which becomes light when it has given too much. */
  #fillUp(light: number, heavy: number): void {
    const [work, parts] = [this.#work, this.#parts]
    while (light > 0 && heavy < this.#count) {
      const [small, large] = [work[--light] as number, work[heavy] as number]
      this.#aliases[small] = this.#cells[large] as number
      parts[large] = (parts[large] as number) - (1 - (parts[small] as number))
      if ((parts[large] as number) >= 1) continue
      heavy++
      work[light++] = large
    }
    // What is left over differs from 1 by rounding only.
    while (light > 0) parts[work[--light] as number] = 1
    while (heavy < this.#count) parts[work[heavy++] as number] = 1
  }
}
