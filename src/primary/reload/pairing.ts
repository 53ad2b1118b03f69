/** What became of the items of a list, each known by a key. */
export interface Pairing<T> {
  added: T[]
  removed: T[]
  /** As they were and as they are, in the order in which they are now. */
  kept: { before: T; after: T }[]
  /** Those that are kept stand in another order. */
  isReordered: boolean
}

/** Pairs two lists by a key. Of items with the same key the first goes with the first. */
export function paired<T>(before: readonly T[], after: readonly T[], keyOf: (item: T) => string): Pairing<T> {
  const old = numbered(before, keyOf)
  const now = numbered(after, keyOf)
  const kept = [...now].flatMap(([key, item]) => {
    const was = old.get(key)
    return was === undefined ? [] : [{ before: was, after: item, key }]
  })
  const order = [...old.keys()].filter((key) => now.has(key))
  return {
    added: [...now].filter(([key]) => !old.has(key)).map(([, item]) => item),
    removed: [...old].filter(([key]) => !now.has(key)).map(([, item]) => item),
    kept: kept.map((pair) => ({ before: pair.before, after: pair.after })),
    isReordered: kept.some(({ key }, index) => key !== order[index]),
  }
}

function numbered<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  const counts = new Map<string, number>()
  const entries = items.map((item) => {
    const key = keyOf(item)
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return [`${count}:${key}`, item] as const
  })
  return new Map(entries)
}
