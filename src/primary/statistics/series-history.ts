/** What is kept of one histogram: running totals that outlive a wrap of its 32-bit counts, and the latest slots of time. */
import { histogram } from '../../shared/board/layout.ts'
import { addSparse, merged, type SparseCounts, sparseFrom } from './sparse-counts.ts'
import { epochAt, levels, placeOf, type placesAt, slotCount } from './windows.ts'

export const BLOCK = histogram.blockCounts
export const BLOCKS = histogram.blocks
/** Buckets of a histogram: see native/stats/histogram.h. */
export const BUCKETS = BLOCK * BLOCKS

const HALF_OF_ALL = 2 ** 31
const WRAP = 2 ** 32

/** One reading of a histogram over all workers; counts are modulo 2^32. */
export interface Reading {
  counts: Uint32Array
  /** Bit n: block n of `counts` was read; the others hold nothing. */
  blocks: number
  /** Values so far, as the head says; may be ahead of the counts by those that are being written. */
  count: number
  sumUs: number
}

export class SeriesHistory {
  /** Values in the counts. */
  count = 0
  sumUs = 0
  /** Of the last head that was read. */
  seen = 0
  readonly #blocks: (Uint32Array | undefined)[] = new Array(BLOCKS).fill(undefined)
  /** Buckets that wrapped, with how often. */
  #wraps: Map<number, number> | undefined
  #slots: { epoch: number; counts: SparseCounts }[] | undefined

  /** Takes a reading. `isBaseline`: what it holds already came before anybody looked, and is in no slot. */
  take(reading: Reading, nowMs: number, isBaseline: boolean): void {
    if (reading.count < this.seen || this.#hasShrunk(reading)) this.#begin()
    const pairs = this.#advance(reading)
    this.seen = reading.count
    this.sumUs = reading.sumUs
    if (!isBaseline && pairs.length > 0) this.#note(sparseFrom(pairs), nowMs)
  }

  /** Lets go of slots that no window has any more. */
  expire(nowMs: number): void {
    if (this.#slots === undefined) return
    let isEmpty = true
    for (const [level, { slots }] of levels.entries()) {
      const newest = epochAt(level, nowMs)
      for (let age = 0; age < slots; age++) {
        const place = placeOf(level, newest - age)
        if (this.#slots[place]?.epoch === newest - age) isEmpty = false
        else delete this.#slots[place]
      }
    }
    if (isEmpty) this.#slots = undefined
  }

  /** Adds the counts of a window; false: there are none. */
  addWindow(places: ReturnType<typeof placesAt>, into: Float64Array): boolean {
    if (this.#slots === undefined) return false
    let hasAny = false
    for (const { place, epoch } of places) {
      const slot = this.#slots[place]
      if (slot?.epoch !== epoch) continue
      addSparse(slot.counts, into)
      hasAny = true
    }
    return hasAny
  }

  /** Adds the counts since the start. */
  addTotal(into: Float64Array): void {
    for (const [position, block] of this.#blocks.entries()) {
      if (block === undefined) continue
      for (let i = 0; i < BLOCK; i++) into[position * BLOCK + i] = (into[position * BLOCK + i] as number) + (block[i] as number)
    }
    for (const [bucket, times] of this.#wraps ?? []) into[bucket] = (into[bucket] as number) + times * WRAP
  }

  /** About so much memory. */
  get bytes(): number {
    const blocks = this.#blocks.reduce((sum, block) => sum + (block === undefined ? 0 : BLOCK * 4 + 150), 0)
    const slots = (this.#slots ?? []).reduce((sum, { counts }) => sum + counts.byteLength + 260, 0)
    return 320 + blocks + slots
  }

  /** A row that got another occupant was zeroed: what was counted shrinks, which looks like a step of more than half of all numbers. */
  #hasShrunk({ counts, blocks }: Reading): boolean {
    for (const [position, known] of this.#blocks.entries()) {
      if (known === undefined) continue
      if ((blocks & (1 << position)) === 0) return true
      for (let i = 0; i < BLOCK; i++)
        if (((counts[position * BLOCK + i] as number) - (known[i] as number)) >>> 0 >= HALF_OF_ALL) return true
    }
    return false
  }

  #begin(): void {
    this.#blocks.fill(undefined)
    this.#wraps = undefined
    this.count = 0
  }

  /** Makes the totals equal to the reading; answers pairs of a bucket and what came to it. */
  #advance({ counts, blocks }: Reading): number[] {
    const pairs: number[] = []
    for (let position = 0; position < BLOCKS; position++) {
      if ((blocks & (1 << position)) === 0) continue
      const known = this.#blocks[position] ?? new Uint32Array(BLOCK)
      this.#blocks[position] = known
      for (let i = 0; i < BLOCK; i++) {
        const bucket = position * BLOCK + i
        const [now, before] = [counts[bucket] as number, known[i] as number]
        if (now === before) continue
        if (now < before) this.#wrap(bucket)
        known[i] = now
        const came = (now - before) >>> 0
        this.count += came
        pairs.push(bucket, came)
      }
    }
    return pairs
  }

  #wrap(bucket: number): void {
    this.#wraps ??= new Map()
    this.#wraps.set(bucket, (this.#wraps.get(bucket) ?? 0) + 1)
  }

  #note(counts: SparseCounts, nowMs: number): void {
    this.#slots ??= new Array(slotCount)
    for (const level of levels.keys()) {
      const epoch = epochAt(level, nowMs)
      const place = placeOf(level, epoch)
      const slot = this.#slots[place]
      if (slot?.epoch === epoch) slot.counts = merged(slot.counts, counts)
      else this.#slots[place] = { epoch, counts }
    }
  }
}
