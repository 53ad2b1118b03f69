import { keyPath } from '../../shared/config/key-path.ts'
import type { DiscoverConfig, ServerConfig, UpstreamConfig } from '../../shared/config/model.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { type OptionChange, optionChanges } from './option-change.ts'
import { howAt } from './option-row.ts'
import { paired } from './pairing.ts'
import type { PlanLoad } from './plan.ts'
import { discoverName, writtenDiscover, writtenServer } from './written-server.ts'

/** An entry of `servers`, a server or a name that is looked up, as steps tell of it. */
interface Entry {
  key: string
  name: string
  text: string
  options: ReturnType<typeof writtenServer>
  connections: number
}

/** Steps of the servers of one upstream, which are known by their names there. */
export function serverSteps(before: UpstreamConfig, after: UpstreamConfig, load: PlanLoad): PlanStep[] {
  const { added, removed, kept, isReordered } = paired(entriesOf(before, load), entriesOf(after, load), ({ key }) => key)
  const at = keyPath(keyPath('upstreams', after.name), 'servers')
  const step = (what: PlanStep['what'], entry: Entry, said: string): PlanStep => {
    const { how, connections } =
      what === 'remove' ? { how: 'drains' as const, connections: entry.connections } : { how: 'live' as const, connections: 0 }
    return { how, what, at: keyPath(at, entry.name), text: `${entry.text} ${said}`, connections }
  }
  return [
    ...removed.map((entry) => step('remove', entry, 'removed')),
    ...kept.flatMap((pair) => changedEntry(pair.before, pair.after, { upstream: after.name, at })),
    ...added.map((entry) => step('add', entry, `added${addressOf(entry)}`)),
    ...(isReordered ? [reordered(after, at, load)] : []),
  ]
}

function changedEntry(before: Entry, after: Entry, { upstream, at }: { upstream: string; at: string }): PlanStep[] {
  const place = ['upstreams', upstream, 'servers', '[]']
  return optionChanges(before.options, after.options, place).map(({ keys, text }: OptionChange): PlanStep => {
    const how = howAt([...place, ...keys])
    return {
      how,
      what: 'change',
      at: keys.reduce(keyPath, keyPath(at, after.name)),
      text: `${after.text}: ${text}`,
      connections: before.connections,
    }
  })
}

/** The order counts for `first`, and for where a round begins. */
function reordered(upstream: UpstreamConfig, at: string, load: PlanLoad): PlanStep {
  const connections = entriesOf(upstream, load).reduce((sum, entry) => sum + entry.connections, 0)
  return { how: 'live', what: 'change', at, text: `upstream ${upstream.name}: order of its servers changed`, connections }
}

function entriesOf({ name, servers, discover }: UpstreamConfig, load: PlanLoad): Entry[] {
  return [...servers.map((server) => serverEntry(name, server, load)), ...discover.map((one) => discoverEntry(name, one, load))]
}

function serverEntry(upstream: string, server: ServerConfig, load: PlanLoad): Entry {
  const id = `${upstream}/${server.name}`
  return {
    key: `server ${server.name}`,
    name: server.name,
    text: `server ${id}`,
    options: writtenServer(server),
    connections: load.server(id),
  }
}

function discoverEntry(upstream: string, one: DiscoverConfig, load: PlanLoad): Entry {
  const name = discoverName(one)
  const kind = one.kind === 'dns' ? 'DNS name' : 'SRV name'
  const connections = load.discovered?.(upstream, one) ?? 0
  return { key: `${one.kind} ${name}`, name, text: `${kind} ${name} of upstream ${upstream}`, options: writtenDiscover(one), connections }
}

/** Where the name does not say it. */
function addressOf({ name, options }: Entry): string {
  const { address } = options
  return typeof address !== 'string' || address === name ? '' : ` at ${address}`
}
