/** From the fine buckets of the board to the few that scrapers want. Pure. */
import { classicBoundsUs } from '../../shared/metrics.ts'
import { upperBoundUs } from '../control/latency-buckets.ts'
import { BUCKETS } from './series-history.ts'

/** For each fine bucket the classic one that it is counted in: the first whose bound it reaches into. The last one is `+Inf`. */
const classicOf: Uint8Array = Uint8Array.from({ length: BUCKETS }, (_, bucket) => {
  const lowest = bucket === 0 ? 0 : upperBoundUs(bucket - 1) + 1
  const found = classicBoundsUs.findIndex((bound) => lowest <= bound)
  return found < 0 ? classicBoundsUs.length : found
})

export interface Classic {
  /** Up to each bound of `classicBoundsUs`, those below included; then all. */
  cumulative: Float64Array
  sumSeconds: number
}

/** `zeros`: values of 0 that were not recorded. */
export function classicFrom(counts: Float64Array, sumUs: number, zeros = 0): Classic {
  const cumulative = new Float64Array(classicBoundsUs.length + 1)
  cumulative[0] = zeros
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const at = classicOf[bucket] as number
    cumulative[at] = (cumulative[at] as number) + (counts[bucket] as number)
  }
  for (let i = 1; i < cumulative.length; i++) cumulative[i] = (cumulative[i] as number) + (cumulative[i - 1] as number)
  return { cumulative, sumSeconds: sumUs / 1e6 }
}
