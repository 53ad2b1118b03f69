/** Quantiles of counts in the buckets of native/stats/histogram.h, which are those of HdrHistogram. */
import { build } from 'hdr-histogram-js'
import type { Quantiles } from '../../shared/statistics/live.ts'
import { upperBoundUs } from '../control/latency-buckets.ts'
import { BUCKETS } from './series-history.ts'

/** One for all: filled, asked and emptied in one go. 64 bits, as counts of all workers together go beyond 32. */
const histogram = build({
  bitBucketSize: 64,
  lowestDiscernibleValue: 1,
  highestTrackableValue: upperBoundUs(BUCKETS - 1),
  numberOfSignificantValueDigits: 2,
  autoResize: false,
})

/** What to read off the counts of all workers and rows together; null when they are empty. */
export function quantilesOf(counts: Float64Array): Quantiles | null {
  histogram.reset()
  let last = -1
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] as number
    if (count <= 0) continue
    last = bucket
    histogram.recordValueWithCount(upperBoundUs(bucket), count)
  }
  if (last < 0) return null
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile)
  return { count: histogram.totalCount, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: upperBoundUs(last) }
}

/** Values that were not recorded because they were 0: queue waits of requests that did not wait. */
export function withZeros(counts: Float64Array, all: number): Float64Array {
  const known = counts.reduce((sum, count) => sum + count, 0)
  if (all > known) counts[0] = (counts[0] as number) + all - known
  return counts
}
