import type { RouteAction } from '../../shared/config/model.ts'

type Shares = Extract<RouteAction, { kind: 'forward' }>['split']

/** Divides the requests of a route among upstreams by their shares. Stateless: chance is an argument. */
export class Split {
  readonly upstreams: readonly string[]
  /** Upper bound of each upstream's part of 0 to 1. */
  readonly #bounds: Float64Array

  /** Shares need not add up to 1: they are taken in proportion. At least one must be above 0. */
  constructor(shares: Shares) {
    this.upstreams = shares.map((entry) => entry.upstream)
    const total = shares.reduce((sum, entry) => sum + entry.share, 0)
    this.#bounds = new Float64Array(shares.length)
    let sum = 0
    for (const [i, entry] of shares.entries()) {
      sum += entry.share
      // Rounding must not leave a gap below 1 behind the last share.
      this.#bounds[i] = shares.slice(i + 1).every((later) => later.share === 0) ? 1 : sum / total
    }
  }

  /** Index into `upstreams`. `random` is at least 0 and below 1. */
  choose(random: number): number {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length - 1 && random >= (bounds[i] as number)) i++
    return i
  }
}

export function compileSplit(shares: Shares): Split {
  return new Split(shares)
}
