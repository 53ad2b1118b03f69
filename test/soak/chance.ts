/** Random numbers from a seed (mulberry32, public domain), so that a run can be repeated. */
export interface Chance {
  /** A number in [0, 1). */
  next(): number
  /** True in `share` of all cases. */
  happens(share: number): boolean
  /** A whole number from `from` to `to`, both possible. */
  between(from: number, to: number): number
}

export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { next, happens: (share) => next() < share, between: (from, to) => from + Math.floor(next() * (to - from + 1)) }
}
