/** How TLS is spoken to servers, as the engine and health checks read it. Pure. */
import type { TlsCertificate } from '../../native/contract.ts'
import type { ServerConfig, UpstreamConfig } from '../../shared/config/model.ts'
import type { UpstreamTls } from '../../shared/config/tls-model.ts'
import type { CommonTls, ServerTls } from '../../shared/ipc/tls-material.ts'
import { digest, versionNumber } from './listener-options.ts'

/** What is not in the config. */
export interface UpstreamMaterial {
  /** PEM; '' where servers are not verified. */
  ca: string
  certificate: TlsCertificate | null
}

/** Of each server of an upstream, by `upstream/server`. What many have in common is one object while it stays the same: see `known`. */
export function serverOptions(
  upstream: UpstreamConfig,
  tls: UpstreamTls,
  material: UpstreamMaterial,
  known: Map<string, CommonTls>,
): [id: string, tls: ServerTls][] {
  const made = commonOptions(tls, material)
  const commonId = digest(made)
  const common = known.get(commonId) ?? made
  known.set(commonId, common)
  return upstream.servers.map((server) => {
    const serverName = tls.serverName ?? nameOf(server)
    return [`${upstream.name}/${server.name}`, { id: `${commonId} ${serverName}`, serverName, common }]
  })
}

function commonOptions(tls: UpstreamTls, { ca, certificate }: UpstreamMaterial): CommonTls {
  return {
    verify: tls.verify,
    ca,
    certificate,
    minVersion: versionNumber(tls.minVersion),
    maxVersion: versionNumber(tls.maxVersion),
    ciphers: tls.ciphers,
    cipherSuites: tls.cipherSuites,
    groups: tls.groups,
  }
}

/** The host of the address, or the name that it was looked up by. */
function nameOf({ address, foundAs }: ServerConfig): string {
  if (foundAs !== undefined) return foundAs.replace(/\.$/, '')
  return address.kind === 'tcp' ? address.host.replace(/\.$/, '') : ''
}
