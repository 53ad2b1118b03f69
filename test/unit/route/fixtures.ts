import type { Match, RouteConfig } from '../../../src/shared/config/model.ts'
import type { HeadReader } from '../../../src/worker/route/head-reader.ts'

/** A route that is named by its place, and otherwise as plain as possible. */
export function route(match: Match, name = 'route'): RouteConfig {
  return {
    place: { path: name, line: 1 },
    match,
    action: { kind: 'answer', status: 200, body: name, contentType: 'text/plain', headers: [] },
    rewrite: { stripPrefix: null, addPrefix: null, regex: null },
    headers: { request: { set: [], add: [], remove: [] }, response: { set: [], add: [], remove: [] } },
    host: 'preserve',
    errorPages: {},
    timeouts: {},
    retry: {},
  }
}

export function prefix(...values: string[]): Match['path'] & object {
  return values.map((value) => ({ kind: 'prefix', value }))
}

export function exact(value: string): Match['path'] & object {
  return [{ kind: 'exact', value }]
}

export function regex(value: string): Match['path'] & object {
  return [{ kind: 'regex', value }]
}

interface HeadFields {
  method?: string
  query?: string
  clientIp?: string
  headers?: Record<string, string>
  localPort?: number
  sni?: string
  alpn?: string[]
  /** By type. */
  tlvs?: Record<number, string>
}

export function head(fields: HeadFields = {}): HeadReader {
  const { method = 'GET', query = '', clientIp = '192.0.2.1', headers = {} } = fields
  const { localPort = 80, sni = '', alpn = [], tlvs = {} } = fields
  return { method, query, clientIp, localPort, sni, alpn, header: (name) => headers[name], proxyTlv: (type) => tlvs[type] }
}
