import type { HeadReader } from './head-reader.ts'
import { PathKeys } from './path-keys.ts'
import type { CompiledRoute, RouteEntry } from './route-entry.ts'
import { conditionsHold } from './route-entry.ts'

/** Routes that share one path, in order; `only` is the first one when it has no conditions, to save following the list. */
interface Bucket {
  readonly only: CompiledRoute | null
  readonly entries: readonly RouteEntry[]
}

/** The routes of one host by path: exact, then regex, then the longest prefix, then those without a path. */
export class PathTable {
  readonly #keys: PathKeys | null
  /** By number of the key; empty buckets where a text is used in the other way only. */
  readonly #exact: readonly Bucket[]
  readonly #prefix: readonly Bucket[]
  readonly #regexes: readonly RouteEntry[]
  readonly #any: Bucket

  /** `entries` in order of specificity; all of them for the same host. */
  constructor(entries: readonly RouteEntry[]) {
    const exact = byPath(entries, 'exact')
    const prefix = byPath(entries, 'prefix')
    const texts = [...new Set([...exact.keys(), ...prefix.keys()])]
    this.#keys = texts.length === 0 ? null : new PathKeys(texts)
    this.#exact = texts.map((text) => bucketOf(exact.get(text) ?? []))
    this.#prefix = texts.map((text) => bucketOf(prefix.get(text) ?? []))
    this.#regexes = entries.filter((entry) => entry.path?.kind === 'regex')
    this.#any = bucketOf(entries.filter((entry) => entry.path === null))
  }

  /** The first route that matches, most specific first. `path` is normalised. */
  find(path: string, host: string, head: HeadReader): CompiledRoute | undefined {
    const keys = this.#keys
    // The numbers found stay where they are until the next lookup, and a lookup never nests.
    const count = keys === null ? 0 : keys.collect(path)
    if (keys !== null && count > 0) {
      const longest = keys.found[count - 1] as number
      const isWhole = keys.lengthOf(longest) === path.length
      const route = isWhole ? firstMatch(this.#exact[longest] as Bucket, path, host, head) : undefined
      if (route !== undefined) return route
    }
    const route = this.#regexes.length === 0 ? undefined : firstRegex(this.#regexes, path, host, head)
    return route ?? this.#longestPrefix(count, path, host, head) ?? firstMatch(this.#any, path, host, head)
  }

  #longestPrefix(count: number, path: string, host: string, head: HeadReader): CompiledRoute | undefined {
    for (let i = count - 1; i >= 0; i--) {
      const key = (this.#keys as PathKeys).found[i] as number
      const route = firstMatch(this.#prefix[key] as Bucket, path, host, head)
      if (route !== undefined) return route
    }
    return undefined
  }
}

function byPath(entries: readonly RouteEntry[], kind: 'exact' | 'prefix'): Map<string, RouteEntry[]> {
  const groups = new Map<string, RouteEntry[]>()
  for (const entry of entries) {
    if (entry.path?.kind !== kind) continue
    const group = groups.get(entry.path.value)
    if (group === undefined) groups.set(entry.path.value, [entry])
    else group.push(entry)
  }
  return groups
}

function bucketOf(entries: readonly RouteEntry[]): Bucket {
  const first = entries[0]
  return { only: first !== undefined && first.conditions.length === 0 ? first.route : null, entries }
}

function firstMatch(bucket: Bucket, path: string, host: string, head: HeadReader): CompiledRoute | undefined {
  if (bucket.only !== null) return bucket.only
  const entries = bucket.entries
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as RouteEntry
    if (conditionsHold(entry, path, host, head)) return entry.route
  }
  return undefined
}

function firstRegex(entries: readonly RouteEntry[], path: string, host: string, head: HeadReader): CompiledRoute | undefined {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as RouteEntry
    if ((entry.path?.value as RegExp).test(path) && conditionsHold(entry, path, host, head)) return entry.route
  }
  return undefined
}
