import { isIP } from 'node:net'
import type { Config, ListenerConfig } from '../shared/config/model.ts'
import type { HeadReader } from '../worker/route/head-reader.ts'
import { BadQuestion, listenerFor, localPortOf, readTlvs } from './explain-listener.ts'

/** A connection as a user writes it on the command line. */
export interface ConnectionQuestion {
  /** `tcp://host[:port]`, or `tls://name[:port]`, 443 without a port. */
  url: string
  alpn: readonly string[]
  /** Each `type=value`. */
  tlvs: readonly string[]
  clientIp: string
  listener: string | undefined
}

/** The same connection as a worker would see it. */
export interface ExplainedConnection {
  head: HeadReader
  listener: ListenerConfig
}

const form = /^(tcp|tls):\/\/(\[[^\]/]*\]|[^:/]*)(?::(\d{1,5}))?\/?$/i

/** Whether an address speaks of a connection, not of a request. */
export function isConnectionUrl(url: string): boolean {
  return /^(tcp|tls):\/\//i.test(url)
}

/** Throws BadQuestion. */
export function readConnection(config: Config, question: ConnectionQuestion): ExplainedConnection {
  const { protocol, name, port } = readUrl(question.url)
  if (isIP(question.clientIp) === 0) throw new BadQuestion(`not an IP address: ${question.clientIp}`)
  if (protocol === 'tcp' && question.alpn.length > 0) throw new BadQuestion('--alpn is for tls:// only')
  const listener = listenerFor(config, { name: question.listener, protocol, port })
  const tlvs = readTlvs(question.tlvs)
  const head: HeadReader = {
    method: '',
    query: '',
    clientIp: question.clientIp,
    localPort: localPortOf(listener, port),
    sni: name,
    alpn: question.alpn,
    header: () => undefined,
    proxyTlv: (type) => tlvs.get(type),
  }
  return { head, listener }
}

function readUrl(text: string): { protocol: 'tcp' | 'tls'; name: string; port: number | undefined } {
  const [match, scheme = '', host = '', digits] = form.exec(text) ?? []
  if (match === undefined || Number(digits) > 65_535) throw new BadQuestion(`expected tcp://host:port or tls://name:port: ${text}`)
  const protocol = scheme.toLowerCase() as 'tcp' | 'tls'
  const port = digits === undefined ? (protocol === 'tls' ? 443 : undefined) : Number(digits)
  // A ClientHello names hosts only, never addresses (RFC 6066 section 3).
  const hasName = protocol === 'tls' && isIP(host) === 0 && !host.startsWith('[')
  return { protocol, name: hasName ? host.toLowerCase() : '', port }
}
