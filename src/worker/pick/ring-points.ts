import { md5, md5Words } from './md5.ts'
import type { RingTable } from './table-builder.ts'

/** Of a server of average weight; each gives four points. */
const DIGESTS = 40

/** A point has 32 bits, and its server the 21 below it that a double has left. */
const OWNER_BITS = 2 ** 21

/**
 * The continuum of libketama (R. Jones, Last.fm, 2007; `ketama_create_continuum`): server `id` has four points in each of the
 * MD5 digests of `id-0`, `id-1`, …, read as little-endian words, and of digests 40 times its weight over the average weight.
 * Like there, shares are rounded as 32-bit floats: otherwise seven equal servers would have 39 digests each. Unlike there, a
 * server whose weight is too small for one digest has one all the same.
 */
export function ringPoints(ids: readonly string[], weights: Float64Array): Pick<RingTable, 'points' | 'owners' | 'steps' | 'shift'> {
  const digests = digestCounts(weights)
  const packed = new Float64Array(4 * digests.reduce((sum, count) => sum + count, 0))
  let count = 0
  for (const [owner, id] of ids.entries()) {
    for (let k = 0; k < (digests[owner] as number); k++) {
      md5(`${id}-${k}`)
      for (const word of md5Words) packed[count++] = (word >>> 0) * OWNER_BITS + owner
    }
  }
  packed.sort()
  const points = Uint32Array.from(packed, (value) => Math.floor(value / OWNER_BITS))
  const owners = Int32Array.from(packed, (value) => value % OWNER_BITS)
  return { points, owners, ...stepsOf(points) }
}

function digestCounts(weights: Float64Array): Int32Array {
  const placed = weights.filter((weight) => weight > 0)
  const total = Math.fround(placed.reduce((sum, weight) => sum + weight, 0))
  return Int32Array.from(weights, (weight) => {
    if (weight <= 0) return 0
    const share = Math.fround(Math.fround(weight) / total)
    return Math.max(1, Math.floor(Math.fround(share * DIGESTS * placed.length)))
  })
}

/** About one step per point, so that a lookup begins where it ends. */
function stepsOf(points: Uint32Array): { steps: Int32Array; shift: number } {
  const bits = Math.min(24, Math.max(1, Math.ceil(Math.log2(points.length + 1))))
  const shift = 32 - bits
  const steps = new Int32Array(2 ** bits)
  let point = 0
  for (let step = 0; step < steps.length; step++) {
    while (point < points.length && (points[point] as number) >>> shift < step) point++
    steps[step] = point
  }
  return { steps, shift }
}
