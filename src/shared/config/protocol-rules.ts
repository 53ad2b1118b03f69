import type { ConfigDocument } from './document.ts'
import { type ListenerConfig, speaksHttp } from './model.ts'
import { entries, entry, items, type Raw } from './raw.ts'

export type Protocol = ListenerConfig['protocol']

const protocols: readonly unknown[] = ['http', 'https', 'tcp', 'tls'] satisfies Protocol[]

/** Options of a listener that speak of requests. */
const requestOptions = [
  ['forwardedHeaders'],
  ['errorPages'],
  ['serverTiming'],
  ['proxyStatus'],
  ['limits', 'headerBytes'],
  ['limits', 'headers'],
  ['limits', 'bodyBytes'],
  ['timeouts', 'body'],
  ['timeouts', 'keepAlive'],
  ['timeouts', 'write'],
]
/** The same of a route. */
const requestKeys = ['redirect', 'answer', 'rewrite', 'headers', 'host', 'errorPages', 'onRequest', 'pick']

/** Options of a route that speak of requests, in sections of which others serve connections too. */
const requestKeysWithin = [
  ['timeouts', 'firstByte'],
  ['timeouts', 'idle'],
  ['timeouts', 'total'],
  ['retry', 'statuses'],
]

/** Where each condition can be asked; those that are not named here can be everywhere. */
const conditionGrounds: Record<string, 'requests' | 'hello'> = {
  host: 'requests',
  path: 'requests',
  method: 'requests',
  header: 'requests',
  query: 'requests',
  cookie: 'requests',
  sni: 'hello',
  alpn: 'hello',
}
const groundTexts = { requests: 'http or https', hello: 'tls, or tcp with tls' }

/** The protocol of a listener; null when what stands there is none, which has been reported. */
export function protocolOf(listener: Raw): Protocol | null {
  const { value = 'http' } = entry(listener, 'protocol')
  return protocols.includes(value) ? (value as Protocol) : null
}

/** What a listener's protocol and `proxyProtocol` allow in it and in its routes. An option that can have no effect is refused. */
export function checkProtocol(listener: Raw, document: ConfigDocument): void {
  const protocol = protocolOf(listener)
  if (protocol === null) return
  const hasProxyHeader = entry(listener, 'proxyProtocol').value === 'on'
  if (hasProxyHeader) checkTrust(listener, document)
  if (!speaksHttp(protocol)) checkConnectionOptions(listener, protocol, hasProxyHeader, document)
  const hasHello = protocol === 'tls' || (protocol === 'tcp' && entry(listener, 'tls').value !== undefined)
  for (const route of items(entry(listener, 'routes'))) {
    checkKeys(route, protocol, document)
    checkConditions(entry(route, 'match'), { protocol, hasHello, hasProxyHeader }, document)
  }
}

function checkTrust(listener: Raw, document: ConfigDocument): void {
  const trusted = entry(listener, 'trustedProxies').value
  if (trusted !== undefined && !(Array.isArray(trusted) && trusted.length === 0)) return
  document.valueProblem(
    entry(listener, 'proxyProtocol').path,
    'refuses every connection, as trustedProxies is empty',
    'name the proxies that connect, e.g. trustedProxies: [10.0.0.0/8]',
  )
}

function checkConnectionOptions(listener: Raw, protocol: Protocol, hasProxyHeader: boolean, document: ConfigDocument): void {
  const where = `on a listener with protocol ${protocol}`
  for (const keys of requestOptions) refuse(listener, keys, `has no effect ${where}`, document)
  if (hasProxyHeader) return
  // A ClientHello has to come in time too.
  const idle = protocol === 'tls' ? [['trustedProxies']] : [['trustedProxies'], ['timeouts', 'header']]
  for (const keys of idle) refuse(listener, keys, `has no effect ${where} unless proxyProtocol is on`, document)
}

function refuse(listener: Raw, keys: string[], message: string, document: ConfigDocument): void {
  const option = keys.reduce(entry, listener)
  if (option.value !== undefined) document.keyProblem(option.path, message, 'remove it')
}

function checkKeys(route: Raw, protocol: Protocol, document: ConfigDocument): void {
  const requests = [...requestKeys.map((key) => [key]), ...requestKeysWithin]
  const [options, wanted] = speaksHttp(protocol) ? [[['onConnection']], 'tcp or tls'] : [requests, groundTexts.requests]
  for (const keys of options) {
    const { path, value } = keys.reduce(entry, route)
    if (value !== undefined) document.keyProblem(path, ...onlyWith(wanted, protocol))
  }
}

interface Ground {
  protocol: Protocol
  /** Connections are routed with their ClientHello at hand. */
  hasHello: boolean
  hasProxyHeader: boolean
}

function checkConditions(match: Raw, ground: Ground, document: ConfigDocument): void {
  for (const { key, path, value } of entries(match)) {
    const wanted = conditionGrounds[key]
    const isHere = wanted === 'hello' ? ground.hasHello : speaksHttp(ground.protocol)
    if (value !== undefined && wanted && !isHere) {
      const [message, hint] = onlyWith(groundTexts[wanted], ground.protocol)
      document.keyProblem(path, message, key === 'host' && ground.hasHello ? 'match the server name with sni' : hint)
    }
    if (key === 'proxyTlv' && !ground.hasProxyHeader) document.keyProblem(path, 'only where proxyProtocol of the listener is on')
  }
  const nested = [...items(entry(match, 'any')), ...items(entry(match, 'all')), entry(match, 'not')]
  for (const member of nested.filter(({ value }) => value !== undefined)) checkConditions(member, ground, document)
}

function onlyWith(wanted: string, found: Protocol): [message: string, hint: string] {
  return [`only on a listener with protocol ${wanted}`, `this one has protocol ${found}`]
}
