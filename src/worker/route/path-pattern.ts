import type { PathMatch } from '../../shared/config/model.ts'

/**
 * A path of a route. A prefix ends at a segment boundary, so `/v1` and `/v1/` match the same paths (`/v1`, `/v1/…`, never
 * `/v1x`) and are kept without the last slash. The prefix `/` matches every path and is therefore no pattern (null).
 */
export type PathPattern =
  | { readonly kind: 'exact' | 'prefix'; readonly value: string; readonly text: string }
  | { readonly kind: 'regex'; readonly value: RegExp; readonly text: string }

const SLASH = 47

/** Throws a SyntaxError when a regex is broken; the config check has refused those before. */
export function compilePath(match: PathMatch): PathPattern | null {
  if (match.kind === 'exact') return { kind: 'exact', value: match.value, text: `=${match.value}` }
  if (match.kind === 'regex') return { kind: 'regex', value: new RegExp(match.value), text: `~${match.value}` }
  const value = match.value.endsWith('/') ? match.value.slice(0, -1) : match.value
  return value === '' ? null : { kind: 'prefix', value, text: match.value }
}

/** Whether a normalised path answers to the pattern; null stands for any path. */
export function pathMatches(pattern: PathPattern | null, path: string): boolean {
  if (pattern === null) return true
  if (pattern.kind === 'exact') return path === pattern.value
  if (pattern.kind === 'regex') return pattern.value.test(path)
  return path.startsWith(pattern.value) && isBoundary(path, pattern.value.length)
}

/** Whether a segment of `path` ends before position `at`. */
export function isBoundary(path: string, at: number): boolean {
  return at === path.length || path.charCodeAt(at) === SLASH
}

/** Sorts by specificity: exact, regex, prefixes with the longer first, any. 0 when neither is more specific. */
export function comparePaths(a: PathPattern | null, b: PathPattern | null): number {
  return pathRank(a) - pathRank(b) || prefixLength(b) - prefixLength(a)
}

export function pathText(pattern: PathPattern | null): string {
  return pattern === null ? 'any path' : pattern.text
}

function pathRank(pattern: PathPattern | null): number {
  if (pattern === null) return 3
  if (pattern.kind === 'exact') return 0
  return pattern.kind === 'regex' ? 1 : 2
}

function prefixLength(pattern: PathPattern | null): number {
  return pattern?.kind === 'prefix' ? pattern.value.length : 0
}
