/** Builds hash tables from plain data into typed arrays, so that a thread can build one and send it without a copy. */
import { hashText } from './hash-text.ts'
import { maglevSlots } from './maglev-slots.ts'
import { ringPoints } from './ring-points.ts'

/** Why a table is wanted, and for whom. */
export interface TableSpec {
  kind: 'ring' | 'maglev' | 'rendezvous'
  /** Names of the servers, in the order of their group. */
  ids: readonly string[]
  /** One for each; 0 is in no table. */
  weights: Float64Array
  /** Of kind, ids and weights: who asked knows its table by it. */
  fingerprint: number
}

/** Points of a circle of 2^32 in ascending order, the server of each, and for each step of 2^shift the first point in it or after. */
export interface RingTable {
  kind: 'ring'
  fingerprint: number
  points: Uint32Array
  owners: Int32Array
  steps: Int32Array
  shift: number
}

export interface MaglevTable {
  kind: 'maglev'
  fingerprint: number
  /** The server of each slot. The length is prime. */
  owners: Int32Array
}

export interface RendezvousTable {
  kind: 'rendezvous'
  fingerprint: number
  seeds: Uint32Array
  weights: Float64Array
  /** Whether all weights above 0 are the same. */
  isUniform: boolean
}

export type HashTable = RingTable | MaglevTable | RendezvousTable

/** Pure: the same spec gives the same table in every worker. Milliseconds for a hundred servers, up to a second for ten thousand. */
export function buildTable(spec: TableSpec): HashTable {
  const { fingerprint, ids, weights } = spec
  if (spec.kind === 'ring') return { kind: 'ring', fingerprint, ...ringPoints(ids, weights) }
  if (spec.kind === 'maglev') return { kind: 'maglev', fingerprint, owners: maglevSlots(ids, weights) }
  const some = weights.find((weight) => weight > 0) ?? 0
  return {
    kind: 'rendezvous',
    fingerprint,
    seeds: seedsOf(ids),
    weights: weights.slice(),
    isUniform: weights.every((weight) => weight === some || weight <= 0),
  }
}

/** Hashes of the names. Of two servers with the same one the second would never be best, so it gets another. */
function seedsOf(ids: readonly string[]): Uint32Array {
  const seeds = new Set<number>()
  for (const id of ids) {
    let seed = hashText(id, 0)
    while (seeds.has(seed)) seed = hashText(id, seed + 1)
    seeds.add(seed)
  }
  return Uint32Array.from(seeds)
}

/** What to name in the transfer list when a table is posted to another thread. */
export function tableBuffers(table: HashTable): ArrayBuffer[] {
  const arrays =
    table.kind === 'ring'
      ? [table.points, table.owners, table.steps]
      : table.kind === 'maglev'
        ? [table.owners]
        : [table.seeds, table.weights]
  return arrays.map((array) => array.buffer as ArrayBuffer)
}

/** 52 bits that differ when kind, ids, their order or weights do. */
export function fingerprintOf(kind: TableSpec['kind'], ids: readonly string[], weights: Float64Array): number {
  let low = hashText(kind, ids.length)
  let high = low
  for (const [i, id] of ids.entries()) {
    const entry = `${id} ${weights[i]}`
    low = hashText(entry, low)
    high = hashText(entry, high ^ 0x9e3779b9)
  }
  return low + (high & 0xfffff) * 2 ** 32
}
