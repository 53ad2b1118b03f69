import { isIP } from 'node:net'
import type { Config, ListenerConfig } from '../shared/config/model.ts'
import type { HeadReader } from '../worker/route/head-reader.ts'
import { normalizePath } from '../worker/route/normalize-path.ts'
import { BadQuestion, boundPort, listenerFor, localPortOf, readTlvs } from './explain-listener.ts'

/** A request as a user writes it on the command line. */
export interface ExplainQuestion {
  method: string
  /** `http://host[:port]/path?query`, or `host/path`. */
  url: string
  /** Each `name: value`. */
  headers: readonly string[]
  /** TLVs of a PROXY header, each `type=value`. */
  tlvs: readonly string[]
  clientIp: string
  /** Name of a listener; undefined for the one that is bound to the port of the URL, else the first for HTTP. */
  listener: string | undefined
}

/** The same request as a worker would see it. */
export interface ExplainedRequest {
  head: HeadReader
  listener: ListenerConfig
  /** As sent, for the server. */
  authority: string
  /** Lower case, without port. */
  host: string
  /** Of the listener where it has one, else of the URL. */
  port: number
  /** Normalised. */
  path: string
}

/** Throws BadQuestion. */
export function readQuestion(config: Config, question: ExplainQuestion): ExplainedRequest {
  const { url, path: sentPath, query } = readUrl(question.url)
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(question.method)) throw new BadQuestion(`not a method: ${question.method}`)
  if (isIP(question.clientIp) === 0) throw new BadQuestion(`not an IP address: ${question.clientIp}`)
  const path = normalizePath(sentPath)
  if (path === null) throw new BadQuestion(`weir answers 400: broken escape, or above the root: ${sentPath}`)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const listener = listenerFor(config, { name: question.listener, protocol: url.protocol === 'https:' ? 'https' : 'http', port })
  const head = headOf(question, query, localPortOf(listener, port))
  const authority = head.header('host') ?? url.host
  return { head, listener, authority, host: authority.toLowerCase().replace(/:\d*$/, ''), port: boundPort(listener) ?? port, path }
}

/** The path is cut out of the text: a URL object would resolve its dot segments and hide what weir does. */
function readUrl(text: string): { url: URL; path: string; query: string } {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const [, path = '', query = ''] = /^[^/]*\/\/[^/?#]*([^?#]*)\??([^#]*)/.exec(full) ?? []
  if (!URL.canParse(full) || !/^https?:/i.test(full)) throw new BadQuestion(`not an http or https URL: ${text}`)
  return { url: new URL(full), path: path === '' ? '/' : path, query }
}

function headOf({ method, headers, clientIp, tlvs: texts }: ExplainQuestion, query: string, localPort: number): HeadReader {
  const fields = new Map<string, string>()
  for (const line of headers) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new BadQuestion(`not a header, expected 'name: value': ${line}`)
    const name = line.slice(0, colon).trim().toLowerCase()
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim())
  }
  const tlvs = readTlvs(texts)
  return {
    method,
    query,
    clientIp,
    localPort,
    sni: '',
    alpn: [],
    header: (name) => fields.get(name),
    proxyTlv: (type) => tlvs.get(type),
  }
}
