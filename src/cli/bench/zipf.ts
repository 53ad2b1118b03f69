import type { Random } from './seeded-random.ts'

/**
 * Draws keys from 0 to `count - 1`, key k in proportion to 1 / (k + 1)^exponent, as popularity is on the web (Zipf's law; see
 * Breslau et al.: Web Caching and Zipf-like Distributions, 1999, for exponents from 0.6 to 0.9).
 */
export function zipf(count: number, exponent: number, random: Random): () => number {
  const upTo = new Float64Array(count)
  let sum = 0
  for (let key = 0; key < count; key++) {
    sum += 1 / (key + 1) ** exponent
    upTo[key] = sum
  }
  return () => firstAbove(upTo, random() * sum)
}

/** Of an ascending list: where the first value above `value` is. */
function firstAbove(list: Float64Array, value: number): number {
  let [low, high] = [0, list.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return low
}
