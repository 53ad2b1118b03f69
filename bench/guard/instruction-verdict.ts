/** Compares counted instructions. There is no noise in them, so a limit is a limit. Pure. */
import type { InstructionLimit } from './thresholds.ts'

export type Counts = ReadonlyMap<string, number>

export interface InstructionRow {
  name: string
  here: number
  /** null: there is no base, or it does not have this. */
  base: number | null
  /** Of instructions per operation; the base's number with its growth, or the absolute one. */
  limit: number
  isSlower: boolean
}

/** One step more is no growth, however small the operation. */
const leastGrowth = 2

/** A row for each operation of this tree. `limitOf` gives the thresholds. */
export function compareInstructions(here: Counts, base: Counts, limitOf: (name: string) => InstructionLimit): InstructionRow[] {
  return [...here].map(([name, count]) => {
    const [before, { growth, most }] = [base.get(name) ?? null, limitOf(name)]
    const limit = before === null ? most : Math.max(before * (1 + growth), before + leastGrowth)
    return { name, here: count, base: before, limit, isSlower: count > limit }
  })
}

/** What got slower, by how much, and where to look: a sentence. */
export function instructionFailure({ name, here, base, limit }: InstructionRow): string {
  const look = `bench/guard/native does the work; valgrind --tool=callgrind with callgrind_annotate shows where it goes`
  if (base === null)
    return `${name} needs ${here} instructions, more than ${Math.round(limit)}, the most that bench/guard/thresholds.ts allows: ${look}`
  const share = ((here / base - 1) * 100).toFixed(1)
  return `${name} needs ${here} instructions, ${share} % more than the ${base} of the base (allowed: ${Math.round(limit)}): ${look}`
}
