import type { DiscoverConfig, ServerConfig } from '../../shared/config/model.ts'
import { given, type WrittenSection } from './written.ts'

/** The options of a server but for its name. */
export function writtenServer(server: ServerConfig): WrittenSection {
  return { address: server.address.text, ...common(server) }
}

/** The options of a name whose records are servers, but for the name itself. */
export function writtenDiscover(discover: DiscoverConfig): WrittenSection {
  return common(discover)
}

/** How a name that is looked up stands in the file: `app.internal:8080`, or the name of SRV records. */
export function discoverName({ name, port }: DiscoverConfig): string {
  return port === null ? name : `${name}:${port}`
}

function common({ weight, maxConnections, tier, zone }: Pick<ServerConfig, 'weight' | 'maxConnections' | 'tier' | 'zone'>): WrittenSection {
  return given({
    weight: String(weight),
    maxConnections: maxConnections === null ? null : String(maxConnections),
    tier: String(tier),
    zone,
  })
}
