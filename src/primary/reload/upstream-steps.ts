import { formatCount } from '../../shared/base/units.ts'
import { keyPath } from '../../shared/config/key-path.ts'
import type { Config, UpstreamConfig } from '../../shared/config/model.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { optionChanges } from './option-change.ts'
import { howAt } from './option-row.ts'
import { paired } from './pairing.ts'
import type { PlanLoad } from './plan.ts'
import { serverSteps } from './server-steps.ts'
import { writtenUpstream } from './written-upstream.ts'

/** Steps of all upstreams, which are known by their names. */
export function upstreamSteps(before: Config, after: Config, load: PlanLoad): PlanStep[] {
  const { added, removed, kept } = paired(before.upstreams, after.upstreams, ({ name }) => name)
  return [
    ...removed.map((upstream): PlanStep => {
      const text = `upstream ${upstream.name} removed, with ${countText(upstream)}`
      return { how: 'drains', what: 'remove', at: pathOf(upstream), text, connections: loadOf(upstream, load) }
    }),
    ...kept.flatMap((pair) => keptUpstream(pair.before, pair.after, load)),
    ...added.map((upstream): PlanStep => {
      return {
        how: 'live',
        what: 'add',
        at: pathOf(upstream),
        text: `upstream ${upstream.name} added, with ${countText(upstream)}`,
        connections: 0,
      }
    }),
  ]
}

function keptUpstream(before: UpstreamConfig, after: UpstreamConfig, load: PlanLoad): PlanStep[] {
  const connections = loadOf(before, load)
  const changes = optionChanges(writtenUpstream(before), writtenUpstream(after), ['upstreams', after.name])
  return [
    ...changes.map(({ keys, text }): PlanStep => {
      const at = keys.reduce(keyPath, pathOf(after))
      return { how: howAt(['upstreams', after.name, ...keys]), what: 'change', at, text: `upstream ${after.name}: ${text}`, connections }
    }),
    ...serverSteps(before, after, load),
  ]
}

function loadOf({ name, servers, discover }: UpstreamConfig, load: PlanLoad): number {
  const listed = servers.reduce((sum, server) => sum + load.server(`${name}/${server.name}`), 0)
  return discover.reduce((sum, one) => sum + (load.discovered?.(name, one) ?? 0), listed)
}

function countText({ servers, discover }: UpstreamConfig): string {
  if (discover.length === 0) return formatCount(servers.length, 'server')
  const names = formatCount(discover.length, 'name')
  return servers.length === 0 ? `${names} to look up` : `${formatCount(servers.length, 'server')} and ${names} to look up`
}

function pathOf({ name }: UpstreamConfig): string {
  return keyPath('upstreams', name)
}
