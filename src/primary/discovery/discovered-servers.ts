import type { DiscoverConfig, ServerConfig } from '../../shared/config/model.ts'
import type { Answer, Service } from './answer.ts'

const MOST_WEIGHT = 256

/**
 * The servers that one `discover` entry stands for, sorted by name: every worker must see them in the same order, and a resolver
 * lists them in another one each time. Named `10.0.0.5:8080`, `[fd00::5]:8080` or, for SRV, `target:port`.
 */
export function discoveredServers(config: DiscoverConfig, answer: Answer): ServerConfig[] {
  const servers = answer.kind === 'srv' ? ofServices(config, answer.services) : ofAddresses(config, answer.addresses)
  return withoutDuplicates(servers).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The first of each name stays. */
export function withoutDuplicates(servers: readonly ServerConfig[]): ServerConfig[] {
  const byName = new Map<string, ServerConfig>()
  for (const server of servers) if (!byName.has(server.name)) byName.set(server.name, server)
  return [...byName.values()]
}

function ofAddresses(config: DiscoverConfig, addresses: readonly string[]): ServerConfig[] {
  const { port } = config
  // The check of the config sees to it that an entry of this kind has one.
  if (port === null) return []
  return addresses.map((address) => ({ ...server(config, address, port, config.weight, config.tier), foundAs: config.name }))
}

/** RFC 2782: the lowest priority is used first, and shares by weight count among equals of it. */
function ofServices(config: DiscoverConfig, services: readonly Service[]): ServerConfig[] {
  const priorities = [...new Set(services.map((service) => service.priority))].sort((a, b) => a - b)
  return priorities.flatMap((priority, rank) => {
    const equals = services.filter((service) => service.priority === priority).sort((a, b) => b.weight - a.weight)
    const most = equals[0]?.weight ?? 0
    return equals.map(({ target, port, weight }) => server(config, target, port, scaled(weight, most), config.tier + rank))
  })
}

/** 1 to 256: a server of weight 0 must get a little (RFC 2782), and larger ones keep their proportions. */
function scaled(weight: number, most: number): number {
  return Math.max(1, most > MOST_WEIGHT ? Math.round((weight * MOST_WEIGHT) / most) : weight)
}

function server({ zone, maxConnections }: DiscoverConfig, host: string, port: number, weight: number, tier: number): ServerConfig {
  const text = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return { name: text, address: { kind: 'tcp', host, port, text }, weight, maxConnections, tier, zone }
}
