/** The buckets of native/stats/histogram.h: exact to 1 µs below 256 µs, then 128 to each power of two. */

const HALF = 128

/** The largest time in microseconds that a bucket counts. */
export function upperBoundUs(bucket: number): number {
  if (bucket < 2 * HALF) return bucket
  const power = Math.floor(bucket / HALF) - 1
  return (bucket - power * HALF + 1) * 2 ** power - 1
}

/** Buckets that hold something, by their bounds. */
export function countsByBound(counts: Uint32Array): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [bucket, count] of counts.entries()) if (count > 0) found[upperBoundUs(bucket)] = count
  return found
}
