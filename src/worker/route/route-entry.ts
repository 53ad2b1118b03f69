import type { RouteConfig } from '../../shared/config/model.ts'
import type { HeadReader } from './head-reader.ts'
import type { HostPattern } from './host-pattern.ts'
import type { Condition } from './matchers.ts'
import type { PathPattern } from './path-pattern.ts'

/** One route of the config, as a lookup answers it. */
export interface CompiledRoute {
  /** Position among the routes of its listener in the config. */
  readonly index: number
  /** Rank by specificity: 0 is tried first. */
  readonly order: number
  readonly config: RouteConfig
}

/** One pair of host and path under which a route is found; a route with two hosts and three paths has six. */
export interface RouteEntry {
  readonly route: CompiledRoute
  readonly host: HostPattern | null
  readonly path: PathPattern | null
  /** What must hold besides host and path; all of it, the cheapest test first. */
  readonly conditions: readonly Condition[]
}

export function conditionsHold(entry: RouteEntry, path: string, host: string, head: HeadReader): boolean {
  const conditions = entry.conditions
  for (let i = 0; i < conditions.length; i++) {
    if (!(conditions[i] as Condition).test(head, path, host)) return false
  }
  return true
}
