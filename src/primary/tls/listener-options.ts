/** How a listener ends TLS, as the engine reads it. Pure. */
import { createHash } from 'node:crypto'
import { abi } from '../../native/abi.ts'
import type { TlsServerOptions } from '../../native/contract.ts'
import type { ListenerConfig } from '../../shared/config/model.ts'
import type { ListenerTls, TlsVersion } from '../../shared/config/tls-model.ts'
import { certificateSets, type SetMember } from '../../shared/tls/certificate-sets.ts'

/** What is not in the config. */
export interface ListenerMaterial {
  /** At least one; the first is that of unknown names. */
  members: readonly SetMember[]
  /** PEM; '' where clients are not asked. */
  clientCa: string
  challenges: TlsServerOptions['challenges']
}

export function listenerOptions({ name, timeouts }: ListenerConfig, tls: ListenerTls, material: ListenerMaterial): TlsServerOptions {
  const { sets, names } = certificateSets(material.members)
  const { clientAuth } = tls
  return identified({
    sets: sets.map((set) => set.map(({ certificate }) => certificate)),
    names,
    defaultSet: tls.unknownName === 'reject' ? -1 : 0,
    minVersion: versionNumber(tls.minVersion),
    maxVersion: versionNumber(tls.maxVersion),
    ciphers: tls.ciphers,
    cipherSuites: tls.cipherSuites,
    groups: tls.groups,
    alpn: tls.alpn,
    tickets: tls.tickets,
    clientAuth: abi.clientAuth[clientAuth?.mode ?? 'off'],
    clientCa: material.clientCa,
    // A session brings the verdict on its client's certificate with it: other rules, other sessions.
    sessionContext: digest([name, clientAuth?.mode ?? null, material.clientCa]),
    handshakeMs: timeouts.handshakeMs,
    challenges: [...material.challenges],
  })
}

/** With an id of all that it holds. */
export function identified<O extends object>(options: O): O & { id: string } {
  return { ...options, id: digest(options) }
}

export function versionNumber(version: TlsVersion): number {
  return version === '1.2' ? 0x0303 : 0x0304
}

export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, bytesAsText)).digest('hex').slice(0, 32)
}

function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
