import type { Config, DiscoverConfig } from '../../shared/config/model.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { listenerSteps } from './listener-steps.ts'
import { optionChanges } from './option-change.ts'
import { howAt } from './option-row.ts'
import { upstreamSteps } from './upstream-steps.ts'
import { writtenRoot } from './written-root.ts'

/** What runs at the moment. */
export interface PlanLoad {
  /** Open client connections of a listener. */
  listener(name: string): number
  /** Exchanges and tunnels in flight on a server, `upstream/server`. */
  server(id: string): number
  /** The same on all servers that a name of an upstream was looked up to; 0 where it is not given. */
  discovered?(upstream: string, name: DiscoverConfig): number
}

/**
 * What has to happen for `after` to be in force in place of `before`, and how, in the order of the file: the process, listeners with
 * their addresses and routes, upstreams with their servers. What only stands elsewhere, or is written otherwise, is no step; two
 * configs that mean the same have none. Functions are compared by their source text.
 */
export function planOf(before: Config, after: Config, load: PlanLoad): PlanStep[] {
  return [...rootSteps(before, after, load), ...listenerSteps(before, after, load), ...upstreamSteps(before, after, load)]
}

function rootSteps(before: Config, after: Config, load: PlanLoad): PlanStep[] {
  const connections = before.listeners.reduce((sum, { name }) => sum + load.listener(name), 0)
  return optionChanges(writtenRoot(before), writtenRoot(after), []).map(({ keys, text }) => {
    return { how: howAt(keys), what: 'change', at: keys.join('.'), text, connections }
  })
}
