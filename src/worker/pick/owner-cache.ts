import type { RendezvousTable } from './table-builder.ts'
import { findByRendezvous } from './table-lookup.ts'

/** Groups up to this size are searched each time. */
const SMALL = 64

/** A power of two. */
const ENTRIES = 131_072

/** Remembers who is best for the keys seen last, because finding out means a look at every server. A key has two places, side by side. */
export class OwnerCache {
  /** Hash of the key of an entry. */
  readonly #hashes = new Uint32Array(ENTRIES)
  /** Position and 1; 0 is an empty entry. */
  readonly #owners = new Int32Array(ENTRIES)

  static for(size: number): OwnerCache | null {
    return size <= SMALL ? null : new OwnerCache()
  }

  /** The best server, whether it may be picked or not; -1 when none has a weight. */
  ownerOf(table: RendezvousTable, hash: number): number {
    const at = hash & (ENTRIES - 1)
    if (this.#has(at, hash)) return (this.#owners[at] as number) - 1
    const beside = at ^ 1
    if (this.#has(beside, hash)) return (this.#owners[beside] as number) - 1
    const owner = findByRendezvous(table, hash, null)
    this.#hashes[beside] = this.#hashes[at] as number
    this.#owners[beside] = this.#owners[at] as number
    this.#hashes[at] = hash
    this.#owners[at] = owner + 1
    return owner
  }

  #has(at: number, hash: number): boolean {
    return this.#hashes[at] === hash && (this.#owners[at] as number) > 0
  }

  clear(): void {
    this.#owners.fill(0)
  }
}
