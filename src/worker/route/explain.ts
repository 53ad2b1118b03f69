import type { HeadReader } from './head-reader.ts'
import { canonicalHost, hostMatches, hostText } from './host-pattern.ts'
import { pathMatches, pathText } from './path-pattern.ts'
import type { CompiledRoute, RouteEntry } from './route-entry.ts'
import type { Router } from './router.ts'

/** What became of one pair of host and path of a route. */
export interface ExplainedRoute {
  readonly route: CompiledRoute
  /** What it asks for, e.g. `api.example.com /v1/ method GET`. */
  readonly match: string
  /** `not-reached`: matches too, but a more specific one answered. */
  readonly verdict: 'chosen' | 'skipped' | 'not-reached'
  /** Which field failed first; null unless skipped. */
  readonly failed: 'host' | 'path' | 'condition' | null
  /** Why it was skipped, one sentence part per failed condition. */
  readonly reasons: readonly string[]
}

/** Tries every route in the order of the lookup, with the same conditions, and says why each was or was not chosen. Slow. */
export function explainRoutes(router: Router, host: string, path: string, head: HeadReader): ExplainedRoute[] {
  let isFound = false
  return router.entries.map((entry) => {
    const explained = explainEntry(entry, canonicalHost(host), path, head)
    if (explained.verdict !== 'chosen') return explained
    const verdict = isFound ? 'not-reached' : 'chosen'
    isFound = true
    return { ...explained, verdict }
  })
}

function explainEntry(entry: RouteEntry, host: string, path: string, head: HeadReader): ExplainedRoute {
  const base = { route: entry.route, match: entryText(entry) }
  if (!hostMatches(entry.host, host)) return { ...base, verdict: 'skipped', failed: 'host', reasons: [`host is ${host}`] }
  if (!pathMatches(entry.path, path)) return { ...base, verdict: 'skipped', failed: 'path', reasons: [`path is ${path}`] }
  const failed = entry.conditions.filter((condition) => !condition.test(head, path, host))
  if (failed.length === 0) return { ...base, verdict: 'chosen', failed: null, reasons: [] }
  const reasons = failed.map((condition) => `wants ${condition.text}, ${condition.seen(head, path, host)}`)
  return { ...base, verdict: 'skipped', failed: 'condition', reasons }
}

function entryText(entry: RouteEntry): string {
  return [hostText(entry.host), pathText(entry.path), ...entry.conditions.map((condition) => condition.text)].join(', ')
}
