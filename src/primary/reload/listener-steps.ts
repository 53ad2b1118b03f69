import { keyPath } from '../../shared/config/key-path.ts'
import type { BindAddress, Config, ListenerConfig } from '../../shared/config/model.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { addressKey } from './identity.ts'
import { optionChanges } from './option-change.ts'
import { howAt } from './option-row.ts'
import { paired } from './pairing.ts'
import type { PlanLoad } from './plan.ts'
import { routeSteps } from './route-steps.ts'
import { list } from './written.ts'
import { writtenListener } from './written-listener.ts'

/** Steps of all listeners, which are known by their names. */
export function listenerSteps(before: Config, after: Config, load: PlanLoad): PlanStep[] {
  const { added, removed, kept } = paired(before.listeners, after.listeners, ({ name }) => name)
  return [
    ...removed.map((listener) => removedListener(listener, load)),
    ...kept.flatMap((pair) => keptListener(pair.before, pair.after, load)),
    ...added.map(addedListener),
  ]
}

function removedListener(listener: ListenerConfig, load: PlanLoad): PlanStep {
  const text = `listener ${listener.name} on ${addresses(listener.bind)} removed`
  return { how: 'drains', what: 'remove', at: pathOf(listener), text, connections: load.listener(listener.name) }
}

function addedListener(listener: ListenerConfig): PlanStep {
  const { name, protocol, bind, routes } = listener
  const text = `listener ${name} on ${addresses(bind)} added: ${protocol}, ${routes.length} route${routes.length === 1 ? '' : 's'}`
  return { how: 'live', what: 'add', at: pathOf(listener), text, connections: 0 }
}

function keptListener(before: ListenerConfig, after: ListenerConfig, load: PlanLoad): PlanStep[] {
  const connections = load.listener(after.name)
  const changes = optionChanges(writtenListener(before), writtenListener(after), ['listeners', after.name])
  return [
    ...bindSteps(before, after, connections),
    ...changes.map(({ keys, text }): PlanStep => {
      const at = keys.reduce(keyPath, pathOf(after))
      return { how: howAt(['listeners', after.name, ...keys]), what: 'change', at, text: `listener ${after.name}: ${text}`, connections }
    }),
    ...routeSteps(before, after, connections),
  ]
}

/** How many of the connections are on one address is not known, so a removed one has those of the whole listener. */
function bindSteps(before: ListenerConfig, after: ListenerConfig, connections: number): PlanStep[] {
  const { added, removed } = paired(before.bind, after.bind, addressKey)
  const at = keyPath(pathOf(after), 'bind')
  const step = (how: PlanStep['how'], what: PlanStep['what'], address: BindAddress): PlanStep => {
    const done = what === 'add' ? 'added' : 'removed'
    return { how, what, at, text: `listener ${after.name}: address ${address.text} ${done}`, connections: what === 'add' ? 0 : connections }
  }
  return [...removed.map((address) => step('drains', 'remove', address)), ...added.map((address) => step('live', 'add', address))]
}

function addresses(bind: readonly BindAddress[]): string {
  return list(bind.map(({ text }) => text))
}

function pathOf({ name }: ListenerConfig): string {
  return keyPath('listeners', name)
}
