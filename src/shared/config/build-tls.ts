import { resolve } from 'node:path'
import type { ConfigDocument } from './document.ts'
import { itemPath, keyPath } from './key-path.ts'
import type { ListenerConfig, RouteConfig } from './model.ts'
import { namesOfRoutes } from './names-of-routes.ts'
import type { CheckedConfig } from './schema.ts'
import { defaultCipherSuites, defaultCiphers, defaultGroups, defaultRenewBefore } from './tls-defaults.ts'
import type { AcmeConfig, CertificateFiles, ClientAuth, InternalCaConfig, ListenerTls, UpstreamTls } from './tls-model.ts'
import { storageOf } from './tls-storage.ts'

type CheckedTls = NonNullable<CheckedConfig['listeners'][string]['tls']>
type CheckedServerTls = NonNullable<CheckedConfig['upstreams'][string]['tls']>

/** The listener whose TLS it is. */
interface Ground {
  name: string
  protocol: ListenerConfig['protocol']
  routes: readonly RouteConfig[]
  document: ConfigDocument
  directory: string
}

const localNames = ['localhost', '127.0.0.1', '::1']

/** How a listener ends TLS. */
export function buildListenerTls(tls: CheckedTls, ground: Ground): ListenerTls {
  const { acme, internal, clientAuth, minVersion, maxVersion, ciphers, cipherSuites, groups, unknownName } = tls
  return {
    certificates: buildCertificates(tls.certificates, ground),
    acme: acme === undefined ? null : buildAcme(acme, ground),
    internal: internal === undefined ? null : buildInternal(internal, ground),
    minVersion,
    maxVersion,
    ciphers,
    cipherSuites,
    groups,
    unknownName,
    alpn: tls.alpn ?? (ground.protocol === 'https' ? ['http/1.1'] : []),
    tickets: tls.tickets === 'on',
    clientAuth: clientAuth === undefined ? null : buildClientAuth(clientAuth, ground.directory),
  }
}

/** How the servers of an upstream are spoken to. */
export function buildUpstreamTls(tls: CheckedServerTls, directory: string): UpstreamTls {
  if (tls === true) return { ...serverDefaults }
  const { verify, ca, serverName = null, certificate, minVersion, maxVersion, ciphers, cipherSuites, groups } = tls
  return {
    verify,
    ca: ca === undefined ? null : resolve(directory, ca),
    serverName,
    certificate:
      certificate === undefined ? null : { cert: resolve(directory, certificate.cert), key: resolve(directory, certificate.key) },
    minVersion,
    maxVersion,
    ciphers,
    cipherSuites,
    groups,
  }
}

const serverDefaults: UpstreamTls = {
  verify: true,
  ca: null,
  serverName: null,
  certificate: null,
  minVersion: '1.2',
  maxVersion: '1.3',
  ciphers: defaultCiphers,
  cipherSuites: defaultCipherSuites,
  groups: defaultGroups,
}

function buildCertificates(certificates: CheckedTls['certificates'], { name, document, directory }: Ground): CertificateFiles[] {
  const list = keyPath(keyPath(keyPath('listeners', name), 'tls'), 'certificates')
  return certificates.map(({ cert, key, ocsp }, index) => {
    const path = itemPath(list, index)
    return {
      cert: resolve(directory, cert),
      key: resolve(directory, key),
      ocsp: ocsp === 'off' || ocsp === 'fetch' ? ocsp : { file: resolve(directory, ocsp) },
      place: { path, line: document.lineOf(path) },
    }
  })
}

function buildAcme(acme: NonNullable<CheckedTls['acme']>, { name, routes, directory }: Ground): AcmeConfig {
  const { email = null, domains, directoryCa, storage, challenge, renewBefore = defaultRenewBefore } = acme
  return {
    listener: name,
    email,
    domains: [...new Set(domains ?? namesOfRoutes(routes).filter((host) => !host.startsWith('*.')))],
    directory: acme.directory,
    directoryCa: directoryCa === undefined ? null : resolve(directory, directoryCa),
    storage: storage === undefined ? storageOf('acme') : resolve(directory, storage),
    challenge,
    renewBefore,
  }
}

function buildInternal(internal: NonNullable<CheckedTls['internal']>, { name, routes, directory }: Ground): InternalCaConfig {
  const { names, storage } = internal === true ? {} : internal
  return {
    listener: name,
    names: [...new Set(names ?? [...namesOfRoutes(routes), ...localNames])],
    storage: storage === undefined ? storageOf('internal-ca') : resolve(directory, storage),
  }
}

function buildClientAuth({ mode, ca, headers }: NonNullable<CheckedTls['clientAuth']>, directory: string): ClientAuth {
  const nameOf = (header: string) => (header === 'off' ? '' : header)
  return {
    mode,
    ca: resolve(directory, ca),
    headers: { subject: nameOf(headers.subject), fingerprint: nameOf(headers.fingerprint) },
  }
}
