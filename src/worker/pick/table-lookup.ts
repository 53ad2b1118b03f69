import { mix32 } from './hash-text.ts'
import type { Accepting } from './picker.ts'
import type { HashTable, MaglevTable, RendezvousTable, RingTable } from './table-builder.ts'

/** Looked at before servers are searched by position: that far it comes only when nearly none may be picked. */
const MOST_POINTS = 4096
const MOST_SLOTS = 128

/** Odd, and far from any other constant in use: 2^32 divided by the golden ratio. */
const STRIDE = 0x9e3779b9

/** Position of the first server in the table's order for this hash that may be picked, -1 for none. */
export function findInTable(table: HashTable, hash: number, size: number, choice: Accepting): number {
  if (table.kind === 'ring') return findOnRing(table, hash, size, choice)
  if (table.kind === 'maglev') return findInMaglev(table, hash, size, choice)
  return findByRendezvous(table, hash, choice)
}

/** The first point at the hash or behind it; the servers of the points that follow come next. */
function findOnRing({ points, owners, steps, shift }: RingTable, hash: number, size: number, choice: Accepting): number {
  const count = points.length
  let at = steps[hash >>> shift] as number
  while (at < count && (points[at] as number) < hash) at++
  let last = -1
  for (let looked = Math.min(count, MOST_POINTS); looked > 0; looked--, at++) {
    if (at >= count) at = 0
    const owner = owners[at] as number
    if (owner === last || owner < 0) continue
    if (choice.accepts(owner)) return owner
    last = owner
  }
  return scan(hash, size, choice)
}

/** The slot of the hash; then slots that further hashes of it give. */
function findInMaglev({ owners }: MaglevTable, hash: number, size: number, choice: Accepting): number {
  let next = hash
  for (let tries = 0; tries < MOST_SLOTS; tries++) {
    const owner = owners[next % owners.length] as number
    if (owner >= 0 && choice.accepts(owner)) return owner
    next = mix32(next + STRIDE)
  }
  return scan(hash, size, choice)
}

/**
 * The server whose own hash of the key is best (Thaler and Ravishankar 1998; weighted as by Schindelhauer and Schomaker 2005:
 * the least -ln(u) / weight). One pass; who may not be picked does not compete, so the next best takes its keys.
 */
export function findByRendezvous(table: RendezvousTable, hash: number, choice: Accepting | null): number {
  return table.isUniform ? findUniform(table, hash, choice) : findWeighted(table, hash, choice)
}

function findUniform({ seeds, weights }: RendezvousTable, hash: number, choice: Accepting | null): number {
  let best = -1
  let most = -1
  for (let i = 0; i < seeds.length; i++) {
    const drawn = mix32(hash ^ (seeds[i] as number))
    if (drawn <= most || (weights[i] as number) <= 0 || (choice !== null && !choice.accepts(i))) continue
    most = drawn
    best = i
  }
  return best
}

function findWeighted({ seeds, weights }: RendezvousTable, hash: number, choice: Accepting | null): number {
  let best = -1
  let least = Infinity
  for (let i = 0; i < seeds.length; i++) {
    const u = (mix32(hash ^ (seeds[i] as number)) + 0.5) / 2 ** 32
    const weight = weights[i] as number
    // 1 - u is never more than -ln(u), so most servers need no logarithm.
    if (1 - u >= least * weight || weight <= 0) continue
    const cost = -Math.log(u) / weight
    if (cost >= least || (choice !== null && !choice.accepts(i))) continue
    least = cost
    best = i
  }
  return best
}

/** Nearly nobody may be picked: the next one by position, from a place that the key gives. */
function scan(hash: number, size: number, choice: Accepting): number {
  for (let i = 0, at = hash % size; i < size; i++, at = at + 1 === size ? 0 : at + 1) if (choice.accepts(at)) return at
  return -1
}
