import { keyPath } from '../../shared/config/key-path.ts'
import type { ListenerConfig, RouteConfig } from '../../shared/config/model.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { matchKey } from './identity.ts'
import { matchText } from './match-text.ts'
import { type OptionChange, optionChanges } from './option-change.ts'
import { howAt } from './option-row.ts'
import { paired } from './pairing.ts'
import { actionText, writtenRoute } from './written-route.ts'

/** Steps of the routes of one listener, which are known by what they match: one step for each route. */
export function routeSteps(before: ListenerConfig, after: ListenerConfig, connections: number): PlanStep[] {
  const { added, removed, kept, isReordered } = paired(before.routes, after.routes, ({ match }) => matchKey(match))
  const step = (what: PlanStep['what'], route: RouteConfig, said: string): PlanStep => {
    return { how: 'live', what, at: route.place.path, text: `${nameOf(route, after)} ${said}`, connections }
  }
  return [
    ...removed.map((route) => step('remove', route, 'removed')),
    ...kept.flatMap((pair) => changedRoute(pair.before, pair.after, { listener: after, connections })),
    ...added.map((route) => step('add', route, `added: ${actionText(route.action)}`)),
    ...(isReordered ? [reordered(after, connections)] : []),
  ]
}

/** One step for all that is applied in the same way, which is all of a route today. */
function changedRoute(before: RouteConfig, after: RouteConfig, at: { listener: ListenerConfig; connections: number }): PlanStep[] {
  const place = ['listeners', at.listener.name, 'routes', '[]']
  const byHow = new Map<PlanStep['how'], OptionChange[]>()
  for (const change of optionChanges(writtenRoute(before), writtenRoute(after), place)) {
    const how = howAt([...place, ...change.keys])
    byHow.set(how, [...(byHow.get(how) ?? []), change])
  }
  return [...byHow].map(([how, changes]) => {
    const text = `${nameOf(after, at.listener)} changed: ${changes.map((change) => change.text).join(', ')}`
    return { how, what: 'change', at: after.place.path, text, connections: at.connections }
  })
}

/** The order counts among routes that are equally specific. */
function reordered(listener: ListenerConfig, connections: number): PlanStep {
  const at = keyPath(keyPath('listeners', listener.name), 'routes')
  return { how: 'live', what: 'change', at, text: `listener ${listener.name}: order of its routes changed`, connections }
}

function nameOf(route: RouteConfig, listener: ListenerConfig): string {
  return `route for ${matchText(route.match)} of listener ${listener.name}`
}
