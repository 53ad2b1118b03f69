import type { ServerDefinition } from '../../../src/primary/server-entry.ts'
import type { ServerConfig } from '../../../src/shared/config/model.ts'
import type { World } from './world.ts'

export const upstreams = ['a', 'b'] as const
const servers = Array.from({ length: 7 }, (_, i) => `s${i + 1}`)

/** All names that there can be. */
export const names = upstreams.flatMap((upstream) => servers.map((server) => `${upstream}/${server}`))

/** A whole list of servers: a config, or a config with what a name service says. */
export function chooseDefinitions(world: World, perUpstream: number): ServerDefinition[] {
  return upstreams.flatMap((upstream) => {
    const chosen = servers.filter(() => world.chance.happens(perUpstream / servers.length))
    return (chosen.length > 0 ? chosen : servers.slice(0, 1)).map((name) => define(world, upstream, name))
  })
}

function define(world: World, upstream: string, name: string): ServerDefinition {
  return definitionOf(upstream, name, world.isChecked(upstream), world.chance.between(1, 3))
}

export function definitionOf(upstream: string, name: string, isChecked: boolean, weight = 1): ServerDefinition {
  return { upstream, config: configOf(name, weight), initial: 'unknown', isChecked }
}

function configOf(name: string, weight: number, port = 80): ServerConfig {
  const address = { kind: 'tcp', host: name, port, text: `${name}:${port}` } as const
  return { name, address, weight, maxConnections: null, tier: 0, zone: null }
}

/** The same list but for a server more, a server less, or a server that changed. */
function amend(world: World, before: readonly ServerDefinition[]): ServerDefinition[] {
  const { chance } = world
  const at = chance.between(0, before.length - 1)
  const one = before[at]!
  const kind = chance.between(1, 4)
  if (kind === 1) return before.length > 1 ? before.filter((_, i) => i !== at) : [...before]
  if (kind === 2) {
    const upstream = upstreams[chance.between(0, 1)]!
    const missing = servers.filter((name) => !before.some((other) => other.upstream === upstream && other.config.name === name))
    return missing.length === 0 ? [...before] : [...before, define(world, upstream, missing[chance.between(0, missing.length - 1)]!)]
  }
  const config = configOf(one.config.name, chance.between(1, 3), kind === 3 ? chance.between(80, 81) : 80)
  return before.map((other, i) => (i === at ? { ...other, config } : other))
}

type Fault = (world: World, server: string, now: number) => void

const faults: Fault[] = [
  (world, server) => world.setServer(server, world.chance.happens(0.4) ? 'down' : 'up'),
  (world, server) => world.setServer(server, world.chance.happens(0.5) ? 'slow' : 'up'),
  ({ chance, primary }, server, now) =>
    primary.table.setAdmin(server, (['drain', 'ready', 'maint', 'ready'] as const)[chance.between(0, 3)]!, now, 'command'),
  ({ chance, primary }, server, now) => primary.table.setSoftStop(server, chance.happens(0.4), now, 'status 404'),
  ({ chance, primary }, server, now) => primary.table.setWeightShare(server, chance.between(1, 4) / 2, now, 'agent'),
  ({ chance, primary }, server, now) => {
    const state = chance.between(1, 4)
    primary.table.setEjected(server, { isEjected: state === 1, isProbing: state === 2 }, now, '5 failures in a row')
  },
  ({ chance, primary }, _server, now) =>
    primary.table.setBreaker(upstreams[chance.between(0, 1)]!, chance.between(0, 3) / 3, now, 'errors'),
  (world) => world.redefine(amend(world, world.definitions)),
  (world) => world.redefine(amend(world, world.definitions)),
  (world) => world.chance.happens(0.2) && world.redefine(chooseDefinitions(world, 3)),
  (world) => world.chance.happens(0.5) && world.crashWorker(),
]

/** Something goes wrong somewhere, or somebody wants something. */
export function strike(world: World): void {
  const server = names[world.chance.between(0, names.length - 1)]!
  const known = world.definitions.map(({ upstream, config }) => `${upstream}/${config.name}`)
  const chosen = world.chance.happens(0.9) ? known[world.chance.between(0, known.length - 1)]! : server
  faults[world.chance.between(0, faults.length - 1)]!(world, chosen, world.clock.now)
}
