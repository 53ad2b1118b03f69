import { isIP } from 'node:net'
import type { Config, DiscoverConfig, ServerAddress, ServerConfig } from '../../shared/config/model.ts'
import type { NameKind } from './answer.ts'

/** One name to follow, and all that depends on it. */
export interface NameUse {
  kind: NameKind
  name: string
  /** Listed servers whose address is the name. */
  servers: { id: string; server: ServerConfig }[]
  /** Upstreams with a `discover` entry for it. */
  upstreams: Set<string>
}

/** The names of a config by `keyOf`. Those that are used several times are followed once. */
export function namesOf(config: Config): Map<string, NameUse> {
  const names = new Map<string, NameUse>()
  const use = (kind: NameKind, name: string): NameUse => {
    const key = keyOf({ kind, name })
    const known = names.get(key) ?? { kind, name, servers: [], upstreams: new Set() }
    names.set(key, known)
    return known
  }
  for (const upstream of config.upstreams) {
    for (const server of upstream.servers) {
      if (isNamed(server.address)) use('dns', server.address.host).servers.push({ id: `${upstream.name}/${server.name}`, server })
    }
    for (const entry of upstream.discover) use(entry.kind, entry.name).upstreams.add(upstream.name)
  }
  return names
}

/** DNS does not tell upper from lower case. */
export function keyOf({ kind, name }: { kind: NameKind; name: string } | DiscoverConfig): string {
  return `${kind} ${name.toLowerCase().replace(/\.$/, '')}`
}

export function isNamed(address: ServerAddress): address is Extract<ServerAddress, { kind: 'tcp' }> {
  return address.kind === 'tcp' && isIP(address.host) === 0
}
