import { isBoundary } from './path-pattern.ts'

const SLASH = 47
const HASH_SEED = 0x811c9dc5 | 0
const HASH_PRIME = 0x01000193

/**
 * A fixed set of paths that finds its members at the beginning of another path. A member can end only where a segment
 * ends, so one pass over the path hashes every beginning that could be one, and each is one probe of an open-addressed table:
 * the cost depends on the path, not on the number of members. Flat arrays: with ten thousand members each pointer
 * followed would be a cache miss. Requests cannot make the table slow, because only the config puts members into it.
 */
export class PathKeys {
  /** Numbers of the members found by the last `collect`, shortest first. */
  readonly found: Int32Array
  /** Pairs of hash and number plus one (0: empty); the number of pairs is a power of two. */
  readonly #slots: Int32Array
  readonly #mask: number
  /** Characters of all members, one after the other; member n is from #starts[n] to #starts[n + 1]. */
  readonly #codes: Uint16Array
  readonly #starts: Int32Array
  /** 1 at the length of every member, so that most beginnings are not even probed. */
  readonly #lengths: Uint8Array
  readonly #longest: number

  /** `members` are numbered from 0 in the given order and differ from each other. */
  constructor(members: readonly string[]) {
    this.#longest = members.reduce((most, member) => Math.max(most, member.length), 0)
    this.#lengths = new Uint8Array(this.#longest + 1)
    for (const member of members) this.#lengths[member.length] = 1
    this.found = new Int32Array(this.#longest + 1)
    this.#starts = startsOf(members)
    this.#codes = Uint16Array.from(members.join(''), (char) => char.charCodeAt(0))
    this.#slots = fillSlots(members)
    this.#mask = this.#slots.length / 2 - 1
  }

  lengthOf(member: number): number {
    return (this.#starts[member + 1] as number) - (this.#starts[member] as number)
  }

  /** Fills `found` with the members that `path` equals or lies below, and answers how many. */
  collect(path: string): number {
    const lengths = this.#lengths
    const end = path.length < this.#longest ? path.length : this.#longest
    let hash = HASH_SEED
    let count = 0
    for (let at = 0; at < end; at++) {
      const code = path.charCodeAt(at)
      if (code === SLASH && lengths[at] === 1) count = this.#probe(path, at, hash, count)
      hash = Math.imul(hash ^ code, HASH_PRIME)
    }
    return lengths[end] === 1 && isBoundary(path, end) ? this.#probe(path, end, hash, count) : count
  }

  #probe(path: string, length: number, hash: number, count: number): number {
    const slots = this.#slots
    for (let at = spread(hash) & this.#mask; ; at = (at + 1) & this.#mask) {
      const member = (slots[at * 2 + 1] as number) - 1
      if (member < 0) return count
      if (slots[at * 2] === hash && this.lengthOf(member) === length && this.#isBeginning(path, member)) {
        this.found[count] = member
        return count + 1
      }
    }
  }

  #isBeginning(path: string, member: number): boolean {
    const codes = this.#codes
    const start = this.#starts[member] as number
    const length = (this.#starts[member + 1] as number) - start
    for (let i = 0; i < length; i++) if (path.charCodeAt(i) !== codes[start + i]) return false
    return true
  }
}

function startsOf(members: readonly string[]): Int32Array {
  const starts = new Int32Array(members.length + 1)
  for (const [i, member] of members.entries()) starts[i + 1] = (starts[i] as number) + member.length
  return starts
}

function fillSlots(members: readonly string[]): Int32Array {
  let size = 8
  while (size < members.length * 2) size *= 2
  const slots = new Int32Array(size * 2)
  for (const [number, member] of members.entries()) {
    const hash = hashOf(member)
    let at = spread(hash) & (size - 1)
    while (slots[at * 2 + 1] !== 0) at = (at + 1) & (size - 1)
    slots[at * 2] = hash
    slots[at * 2 + 1] = number + 1
  }
  return slots
}

/** FNV-1a over the characters; PathKeys.collect computes the same step by step. */
function hashOf(text: string): number {
  let hash = HASH_SEED
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), HASH_PRIME)
  return hash
}

/** The low bits of FNV-1a alone are weak. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15)
}
