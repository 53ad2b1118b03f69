/** A number from 0 up to, but without, 1. */
export type Random = () => number

/**
 * The same numbers for the same seed, on every machine: a counter in steps of an odd constant, mixed by the finalizer of MurmurHash3
 * (Austin Appleby), whose 32 bits avalanche. Good enough for service times; not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let bits = state
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }
}

/** A seed for a part of a run, by its name: the same for the same run and name. FNV-1a. */
export function seedOf(seed: number, ...names: (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed
  for (const character of names.join('/')) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash | 0
}
