/** A B C, B C A, C A B: nobody is always first, or always after the same one. `round` is from 0. */
export function turnOrder<T>(all: readonly T[], round: number): T[] {
  const first = all.length === 0 ? 0 : round % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}
