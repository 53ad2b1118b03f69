import type { HeadReader } from './head-reader.ts'
import { canonicalHost, hostMatches, hostText } from './host-pattern.ts'
import { pathMatches, pathText } from './path-pattern.ts'
import type { CompiledRoute, RouteEntry } from './route-entry.ts'
import type { Router } from './router.ts'

/** What became of one pair of host and path, or one server name, of a route. */
export interface ExplainedRoute {
  readonly route: CompiledRoute
  /** What it asks for, e.g. `api.example.com /v1/ method GET`. */
  readonly match: string
  /** `not-reached`: matches too, but a more specific one answered. */
  readonly verdict: 'chosen' | 'skipped' | 'not-reached'
  /** Which field failed first, `host` also for a server name; null unless skipped. */
  readonly failed: 'host' | 'path' | 'condition' | null
  /** Why it was skipped, one sentence part per failed condition. */
  readonly reasons: readonly string[]
}

/** Tries every route in the order of the lookup, with the same conditions, and says why each was or was not chosen. Slow. */
export function explainRoutes(router: Router, host: string, path: string, head: HeadReader): ExplainedRoute[] {
  return explainAll(router, { host: canonicalHost(host), path, head, words: requestWords })
}

/** The same for a connection, whose server name and further facts are in `head`. */
export function explainConnection(router: Router, head: HeadReader): ExplainedRoute[] {
  return explainAll(router, { host: canonicalHost(head.sni), path: '/', head, words: connectionWords })
}

interface Question {
  /** Canonical. */
  host: string
  path: string
  head: HeadReader
  words: Words
}

/** How routes of requests and of connections are spoken of. */
interface Words {
  wish(entry: RouteEntry): string[]
  otherHost(host: string): string
}

const requestWords: Words = {
  wish: (entry) => [hostText(entry.host), pathText(entry.path)],
  otherHost: (host) => `host is ${host}`,
}

const connectionWords: Words = {
  wish: (entry) => (entry.host === null ? (entry.conditions.length === 0 ? ['any connection'] : []) : [`sni ${hostText(entry.host)}`]),
  otherHost: (name) => `sni is ${name || 'absent'}`,
}

function explainAll(router: Router, question: Question): ExplainedRoute[] {
  let isFound = false
  return router.entries.map((entry) => {
    const explained = explainEntry(entry, question)
    if (explained.verdict !== 'chosen') return explained
    const verdict = isFound ? 'not-reached' : 'chosen'
    isFound = true
    return { ...explained, verdict }
  })
}

function explainEntry(entry: RouteEntry, { host, path, head, words }: Question): ExplainedRoute {
  const base = { route: entry.route, match: [...words.wish(entry), ...entry.conditions.map((condition) => condition.text)].join(', ') }
  if (!hostMatches(entry.host, host)) return { ...base, verdict: 'skipped', failed: 'host', reasons: [words.otherHost(host)] }
  if (!pathMatches(entry.path, path)) return { ...base, verdict: 'skipped', failed: 'path', reasons: [`path is ${path}`] }
  const failed = entry.conditions.filter((condition) => !condition.test(head, path, host))
  if (failed.length === 0) return { ...base, verdict: 'chosen', failed: null, reasons: [] }
  const reasons = failed.map((condition) => `wants ${condition.text}, ${condition.seen(head, path, host)}`)
  return { ...base, verdict: 'skipped', failed: 'condition', reasons }
}
