/** Few counts of many buckets: ascending entries of a bucket's number and a count in 32 bits each. Pure. */

const COUNT_BITS = 20
const MOST = 2 ** COUNT_BITS - 1

export type SparseCounts = Uint32Array

/** From pairs of a bucket and what it counts, buckets ascending. A count that is too large for one entry has several. */
export function sparseFrom(pairs: readonly number[]): SparseCounts {
  const entries: number[] = []
  for (let i = 0; i < pairs.length; i += 2) push(entries, pairs[i] as number, pairs[i + 1] as number)
  return Uint32Array.from(entries)
}

/** Both together. */
export function merged(one: SparseCounts, other: SparseCounts): SparseCounts {
  const pairs: number[] = []
  let [i, j] = [0, 0]
  while (i < one.length || j < other.length) {
    const bucket = Math.min(bucketAt(one, i), bucketAt(other, j))
    let count = 0
    for (; bucketAt(one, i) === bucket; i++) count += (one[i] as number) & MOST
    for (; bucketAt(other, j) === bucket; j++) count += (other[j] as number) & MOST
    pairs.push(bucket, count)
  }
  return sparseFrom(pairs)
}

export function addSparse(counts: SparseCounts, into: Float64Array): void {
  for (const entry of counts) into[entry >>> COUNT_BITS] = (into[entry >>> COUNT_BITS] as number) + (entry & MOST)
}

function push(entries: number[], bucket: number, count: number): void {
  for (let left = count; left > 0; left -= MOST) entries.push(bucket * 2 ** COUNT_BITS + Math.min(left, MOST))
}

/** Beyond the end: larger than any bucket. */
function bucketAt(counts: SparseCounts, i: number): number {
  return i < counts.length ? (counts[i] as number) >>> COUNT_BITS : Number.POSITIVE_INFINITY
}
