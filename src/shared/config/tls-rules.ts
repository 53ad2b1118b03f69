import type { ConfigDocument } from './document.ts'
import { namesOfRoutes } from './names-of-routes.ts'
import { parseHostPattern } from './patterns.ts'
import { type Protocol, protocolOf } from './protocol-rules.ts'
import { entries, entry, isMap, items, oneOrItems, type Raw } from './raw.ts'

const usualHttpPort = 80

/** TLS where the protocol needs or takes it, with a certificate from somewhere. */
export function checkListenerTls(listener: Raw, protocol: Protocol | null, document: ConfigDocument): void {
  const tls = entry(listener, 'tls')
  if (tls.value === undefined) {
    if (protocol === 'https')
      document.valueProblem(entry(listener, 'protocol').path, 'https needs tls', 'add tls: { certificates: [{ cert: …, key: … }] }')
    const handshake = entry(entry(listener, 'timeouts'), 'handshake')
    if (handshake.value !== undefined && protocol !== null) document.keyProblem(handshake.path, 'has no effect without tls', 'remove it')
    return
  }
  if (protocol === 'http') document.keyProblem(tls.path, 'has no effect with protocol http', 'write protocol: https')
  if (protocol === 'tls')
    document.keyProblem(tls.path, 'has no effect with protocol tls, which passes TLS on unread', 'write protocol: https, or tcp')
  if (!isMap(tls)) return
  checkSources(tls, listener, document)
  checkVersions(tls, document)
  checkAlpn(entry(tls, 'alpn'), protocol, document)
  checkClientAuth(entry(tls, 'clientAuth'), protocol, document)
}

/** A redirect is an answer to requests that came in plain. */
export function checkRedirect(listener: Raw, protocol: Protocol | null, document: ConfigDocument): void {
  const redirect = entry(listener, 'redirectToHttps')
  if (redirect.value === undefined || protocol === null || protocol === 'http') return
  document.keyProblem(redirect.path, 'only on a listener with protocol http', `this one has protocol ${protocol}`)
}

/** What an upstream says of TLS to its servers. */
export function checkUpstreamTls(upstream: Raw, document: ConfigDocument): void {
  const tls = entry(upstream, 'tls')
  if (tls.value === undefined) return
  checkVersions(tls, document)
  const verify = entry(tls, 'verify')
  if (verify.value !== false) {
    for (const server of items(entry(upstream, 'servers'))) checkVerifiable(server, tls, document)
    return
  }
  const ca = entry(tls, 'ca')
  if (ca.value !== undefined) document.keyProblem(ca.path, 'has no effect without verify', 'remove it, or verify')
  else
    document.valueWarning(
      verify.path,
      'whoever is between weir and the servers can read and change everything',
      'name their authority with ca',
    )
}

/** The authority asks over port 80, where something has to answer. */
export function checkChallenges(root: Raw, document: ConfigDocument): void {
  const listeners = entries(entry(root, 'listeners'))
  if (listeners.some((listener) => protocolOf(listener) === 'http')) return
  for (const listener of listeners) {
    const challenge = entry(entry(entry(listener, 'tls'), 'acme'), 'challenge')
    if (challenge.value !== 'http-01') continue
    document.valueProblem(
      challenge.path,
      'http-01 needs a listener with protocol http, and there is none',
      `add one on port ${usualHttpPort}, such as { bind: ":${usualHttpPort}", redirectToHttps: true }`,
    )
  }
}

function checkSources(tls: Raw, listener: Raw, document: ConfigDocument): void {
  const certificates = entry(tls, 'certificates')
  const acme = entry(tls, 'acme')
  const hasFiles = certificates.value !== undefined && !(Array.isArray(certificates.value) && certificates.value.length === 0)
  if (!hasFiles && acme.value === undefined && entry(tls, 'internal').value === undefined)
    document.keyProblem(tls.path, 'has no certificate', 'add certificates, acme or internal')
  if (!isMap(acme) || entry(acme, 'domains').value !== undefined) return
  if (exactNames(listener).length === 0)
    document.keyProblem(acme.path, 'no route of the listener names a host exactly', 'list the names of the certificate in domains')
}

/** Hosts and server names that the routes match exactly, of those that are valid. */
function exactNames(listener: Raw): string[] {
  const routes = items(entry(listener, 'routes')).map((route) => ({ match: matchOf(entry(route, 'match')) }))
  return namesOfRoutes(routes).filter((name) => !name.startsWith('*.'))
}

interface Names {
  host: string[]
  sni: string[]
  any: Names[]
  all: Names[]
}

function matchOf(match: Raw): Names {
  const names = (key: string) =>
    oneOrItems(entry(match, key)).flatMap(({ value }) => {
      const result = typeof value === 'string' ? parseHostPattern(value) : null
      return result?.ok ? [result.value] : []
    })
  const nested = (key: string) => items(entry(match, key)).map(matchOf)
  return { host: names('host'), sni: names('sni'), any: nested('any'), all: nested('all') }
}

function checkVersions(tls: Raw, document: ConfigDocument): void {
  const [least, most] = [entry(tls, 'minVersion'), entry(tls, 'maxVersion')]
  if (Number(least.value ?? 1.2) > Number(most.value ?? 1.3))
    document.valueProblem(least.path, `${String(least.value)} is newer than maxVersion, which is ${String(most.value)}`)
  const [ciphers, suites] = [entry(tls, 'ciphers'), entry(tls, 'cipherSuites')]
  if (Number(least.value ?? 1.2) === 1.3 && ciphers.value !== undefined)
    document.keyProblem(ciphers.path, 'has no effect, as minVersion is 1.3', 'write cipherSuites')
  if (Number(most.value ?? 1.3) === 1.2 && suites.value !== undefined)
    document.keyProblem(suites.path, 'has no effect, as maxVersion is 1.2', 'write ciphers')
}

/** Nobody could speak what is agreed upon. */
function checkAlpn(alpn: Raw, protocol: Protocol | null, document: ConfigDocument): void {
  if (protocol !== 'https') return
  for (const { path, value } of items(alpn)) {
    if (value === 'http/1.1' || value === 'http/1.0') continue
    document.valueProblem(path, `${JSON.stringify(value)} is not spoken on a listener with protocol https`, 'write http/1.1')
  }
}

function checkClientAuth(clientAuth: Raw, protocol: Protocol | null, document: ConfigDocument): void {
  const headers = entry(clientAuth, 'headers')
  if (headers.value !== undefined && protocol === 'tcp')
    document.keyProblem(headers.path, 'has no effect on a listener with protocol tcp', 'remove it')
  const [subject, fingerprint] = [entry(headers, 'subject'), entry(headers, 'fingerprint')]
  const isSame = typeof subject.value === 'string' && subject.value !== 'off'
  if (isSame && String(fingerprint.value).toLowerCase() === String(subject.value).toLowerCase())
    document.valueProblem(fingerprint.path, 'is the same header as subject', 'name another one')
}

/** A unix socket has no name that a certificate could be for. */
function checkVerifiable(server: Raw, tls: Raw, document: ConfigDocument): void {
  if (entry(tls, 'serverName').value !== undefined) return
  const address = typeof server.value === 'string' ? server : entry(server, 'address')
  if (typeof address.value !== 'string' || !address.value.startsWith('unix:')) return
  document.valueProblem(address.path, 'a unix socket has no name that its certificate could be for', 'set serverName in tls')
}
