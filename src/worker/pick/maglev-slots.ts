import { hashText } from './hash-text.ts'

/** Primes. The table has a hundred slots per server or more, up to 6,500 servers; then shares are within about 1 %. */
const SMALL = 65_537
const LARGE = 655_373

/** Above so many servers the table is large. Crossing it moves nearly every key, so it is far from usual sizes. */
const MOST_SMALL = 655

/**
 * The table of Maglev (Eisenbud et al., NSDI 2016, section 3.4): each server has its own permutation of the slots, and in turn
 * takes the first slot of it that is free. The weight says how often it has a turn: the heaviest server always, others in
 * proportion.
 */
export function maglevSlots(ids: readonly string[], weights: Float64Array): Int32Array {
  const size = ids.length > MOST_SMALL ? LARGE : SMALL
  const owners = new Int32Array(size).fill(-1)
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  if (heaviest === 0) return owners
  const next = Int32Array.from(ids, (id) => hashText(id, 1) % size)
  const skips = Int32Array.from(ids, (id) => 1 + (hashText(id, 2) % (size - 1)))
  const turns = new Float64Array(ids.length)
  for (let free = size; free > 0; ) {
    for (let i = 0; i < ids.length && free > 0; i++) {
      turns[i] = (turns[i] as number) + (weights[i] as number) / heaviest
      if ((turns[i] as number) < 1) continue
      turns[i] = (turns[i] as number) - 1
      takeSlot(owners, i, next, skips[i] as number)
      free--
    }
  }
  return owners
}

function takeSlot(owners: Int32Array, server: number, next: Int32Array, skip: number): void {
  const size = owners.length
  let slot = next[server] as number
  while ((owners[slot] as number) >= 0) slot = slot + skip < size ? slot + skip : slot + skip - size
  owners[slot] = server
  next[server] = slot + skip < size ? slot + skip : slot + skip - size
}
