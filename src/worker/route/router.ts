import type { Match, RouteConfig } from '../../shared/config/model.ts'
import type { HeadReader } from './head-reader.ts'
import type { HostPattern } from './host-pattern.ts'
import { canonicalHost, compareHosts, compileHost } from './host-pattern.ts'
import { compileConditions, countConditions } from './matchers.ts'
import type { PathPattern } from './path-pattern.ts'
import { comparePaths, compilePath } from './path-pattern.ts'
import { PathTable } from './path-table.ts'
import type { CompiledRoute, RouteEntry } from './route-entry.ts'

/** The routes that can answer for one host. Keep it as long as the router: it does not change. */
export class HostRoutes {
  readonly host: string
  readonly #tables: readonly PathTable[]

  constructor(host: string, tables: readonly PathTable[]) {
    this.host = host
    this.#tables = tables
  }

  /** The first route that matches, most specific first. `path` is normalised; `head` is read only where a condition needs it. */
  find(path: string, head: HeadReader): CompiledRoute | undefined {
    const tables = this.#tables
    for (let i = 0; i < tables.length; i++) {
      const route = (tables[i] as PathTable).find(path, this.host, head)
      if (route !== undefined) return route
    }
    return undefined
  }
}

/** All routes of one listener. A connection has its server name for host, and the path `/`. Immutable; see docs/reference/routing.md for the order. */
export class Router {
  /** Every pair of host and path, in the order they are tried; for explain. */
  readonly entries: readonly RouteEntry[]
  readonly #exact = new Map<string, PathTable>()
  readonly #wildcards = new Map<string, PathTable>()
  readonly #any: PathTable | undefined

  constructor(entries: readonly RouteEntry[]) {
    this.entries = entries
    for (const group of groupByHost(entries)) {
      const host = (group[0] as RouteEntry).host
      const table = new PathTable(group)
      if (host === null) this.#any = table
      else if (host.kind === 'exact') this.#exact.set(host.value, table)
      else this.#wildcards.set(host.value, table)
    }
  }

  /** Resolves the host table. `host` is lower case, without port; for connections it is the server name, '' without one. Cheap, but not free: keep the answer per host. */
  hostRoutes(host: string): HostRoutes {
    const name = canonicalHost(host)
    const tables: PathTable[] = []
    const exact = this.#exact.get(name)
    if (exact !== undefined) tables.push(exact)
    if (this.#wildcards.size > 0) this.#collectWildcards(name, tables)
    if (this.#any !== undefined) tables.push(this.#any)
    return new HostRoutes(name, tables)
  }

  /** Suffixes from the left, so the longest comes first. */
  #collectWildcards(name: string, tables: PathTable[]): void {
    for (let dot = name.indexOf('.', 1); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const table = this.#wildcards.get(name.slice(dot))
      if (table !== undefined) tables.push(table)
    }
  }
}

/** Compiles the routes of one listener, given in the order of the config. */
export function compileRouter(routes: readonly RouteConfig[]): Router {
  const drafts = routes.flatMap(draftEntries).sort(compareDrafts)
  const compiled = new Map<number, CompiledRoute>()
  for (const { index, config } of drafts) {
    if (!compiled.has(index)) compiled.set(index, { index, order: compiled.size, config })
  }
  return new Router(
    drafts.map(({ index, host, path, conditions }) => {
      return { route: compiled.get(index) as CompiledRoute, host, path, conditions }
    }),
  )
}

type Draft = Omit<RouteEntry, 'route'> & { index: number; config: RouteConfig; conditionCount: number }

function draftEntries(config: RouteConfig, index: number): Draft[] {
  const conditions = compileConditions(config.match)
  const conditionCount = countConditions(config.match)
  const paths = pathsOf(config.match)
  return hostsOf(config.match).flatMap((host) => paths.map((path) => ({ index, config, host, path, conditions, conditionCount })))
}

function hostsOf(match: Match): (HostPattern | null)[] {
  // A listener has either requests or connections, so a match has one of the two at most.
  return (match.host ?? match.sni)?.map(compileHost) ?? [null]
}

function pathsOf(match: Match): (PathPattern | null)[] {
  return match.path === undefined ? [null] : match.path.map(compilePath)
}

function compareDrafts(a: Draft, b: Draft): number {
  return compareHosts(a.host, b.host) || comparePaths(a.path, b.path) || b.conditionCount - a.conditionCount || a.index - b.index
}

/** Entries with the same host, each group in the given order. */
function groupByHost(entries: readonly RouteEntry[]): RouteEntry[][] {
  const groups = new Map<string, RouteEntry[]>()
  for (const entry of entries) {
    const name = entry.host === null ? '' : `${entry.host.kind} ${entry.host.value}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [entry])
    else group.push(entry)
  }
  return [...groups.values()]
}
