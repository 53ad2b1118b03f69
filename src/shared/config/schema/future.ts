/**
 * Options that weir knows and this version does not have. They are refused with a sentence of their own, never ignored.
 * A version that brings one deletes its row and writes its schema.
 */
export interface FutureOption {
  /** Key path with `*` for names and `[]` for items of a list. */
  at: string
  /** Only these values are missing; without it, every value but those that the schema accepts. */
  values?: readonly string[]
}

export const futureOptions: readonly FutureOption[] = [
  { at: 'listeners.*.protocol', values: ['https'] },
  { at: 'listeners.*.tls' },
  { at: 'upstreams.*.tls' },
]

/** The row for a place and what stands there, or null. */
export function futureOption(at: string, value: unknown): FutureOption | null {
  const row = futureOptions.find((option) => option.at === at)
  if (!row) return null
  const isMeant = row.values === undefined || (typeof value === 'string' && row.values.includes(value))
  return isMeant ? row : null
}
