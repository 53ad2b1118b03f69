import type { ServerGroup } from './server-group.ts'

/**
 * Whose turn it is among the servers offered. Each offer earns a server its weight in credit; who has most takes the turn
 * and pays what all have earned. So credits add up to zero, shares follow the weights, and turns are spread evenly.
 */
export class SmoothTurns {
  readonly group: ServerGroup
  readonly #credit: Float64Array
  #best = -1
  #earned = 0

  constructor(group: ServerGroup) {
    this.group = group
    this.#credit = new Float64Array(group.size)
  }

  begin(): void {
    this.#best = -1
    this.#earned = 0
  }

  offer(position: number): void {
    const weight = this.group.weights[position] as number
    const credit = (this.#credit[position] as number) + weight
    this.#credit[position] = credit
    this.#earned += weight
    if (this.#best < 0 || credit > (this.#credit[this.#best] as number)) this.#best = position
  }

  /** Position of the server whose turn it is, -1 when none was offered. */
  take(): number {
    if (this.#best >= 0) this.#credit[this.#best] = (this.#credit[this.#best] as number) - this.#earned
    return this.#best
  }

  /** Takes over the credits of servers that stay; see `Policy.adopt`. */
  adopt(from: SmoothTurns, positions: Int32Array): void {
    for (let i = 0; i < positions.length; i++) {
      const was = positions[i] as number
      this.#credit[i] = was < 0 ? 0 : (from.#credit[was] as number)
    }
  }
}
