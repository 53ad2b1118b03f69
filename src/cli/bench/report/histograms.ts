/** The histograms of rounds: microseconds inside, milliseconds outside. */
import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Round } from '../result.ts'

const TICKS_PER_HALF_DISTANCE = 5
const US_PER_MS = 1000

/** Rejects, by throwing, what is not a compressed HdrHistogram in base64. */
export function histogramOf({ histogram }: Pick<Round, 'histogram'>): Histogram {
  return decodeFromCompressedBase64(histogram, 64)
}

/** All rounds together. */
export function merged(rounds: readonly Pick<Round, 'histogram'>[]): Histogram {
  const all = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true })
  for (const round of rounds) all.add(histogramOf(round))
  return all
}

/**
 * The text that HdrHistogram's plotters read, with the value in ms: `Value Percentile TotalCount 1/(1-Percentile)`, a line for each step, and
 * three lines of facts that begin with `#[`.
 */
export function percentileText(rounds: readonly Pick<Round, 'histogram'>[]): string {
  return merged(rounds).outputPercentileDistribution(TICKS_PER_HALF_DISTANCE, US_PER_MS)
}

/** Latency in ms at a share (0 to 1) of the requests. */
export function latencyAt(histogram: Histogram, share: number): number {
  return histogram.getValueAtPercentile(share * 100) / US_PER_MS
}
