/**
 * The config as the rest of weir reads it: checked, defaults filled in, durations in milliseconds, sizes in bytes,
 * shares as numbers from 0 to 1. `load.ts` is the only place that makes one. Everything here but the functions of a
 * TypeScript config survives `process.send`.
 */
import type { ConnectionFunction, HashKeyFunction, PickFunction, RequestFunction } from '../../index-types.ts'
import type { LogField } from './schema/log.ts'
import type { ListenerTls, UpstreamTls } from './tls-model.ts'

export interface Config {
  /** Where it was read from, for messages; '<command line>' when there was no file. */
  source: string
  /** Number of worker processes; `auto` is resolved to one per core. */
  workers: number
  listeners: ListenerConfig[]
  upstreams: UpstreamConfig[]
  /** Where this balancer is; servers of the same zone are preferred. */
  zone: string | null
  /** Where commands reach it. `socket` null: at the default path; see shared/control/socket-path.ts. */
  control: { isOn: boolean; socket: string | null }
  /** null: no HTTP interface. */
  admin: AdminConfig | null
  /** Name or number of whom the process becomes once its sockets are open; null: it stays who it is. */
  user: string | null
  group: string | null
  /** Absolute path. */
  pidFile: string | null
  /**
   * graceMs: 0 is no limit. delayMs: unready, but as before, so long before listeners close. spreadMs: over which keep-alive
   * connections are closed one after the other, at most half of a grace.
   */
  shutdown: { graceMs: number; delayMs: number; spreadMs: number }
  /** Bodies of our own answers, by status; a listener's entry wins over this one. */
  errorPages: ErrorPages
  /** null: no access log. */
  log: { access: AccessLogConfig | null }
  /** null: no traces. */
  tracing: TracingConfig | null
}

export interface AdminConfig {
  bind: Extract<BindAddress, { kind: 'tcp' }>
  /** Who shows it may operate; null: everybody who reaches a loopback address may. */
  token: string | null
  /** Who shows it may look. Without `token` it is null. */
  viewToken: string | null
  /** Names of a loopback address, in lower case, beside localhost. */
  hosts: string[]
}

export interface AccessLogConfig {
  /** `stdout`, or an absolute path. */
  to: string
  format: 'json' | 'combined'
  fields: LogField[]
  /** Header fields of requests, in lower case. */
  headers: string[]
  /** Parameters of queries whose values are not written, in lower case. */
  redactQuery: string[]
  /** Of the requests that ended well, from 0 to 1. */
  sample: number
}

export interface TracingConfig {
  /** Of the collector. */
  otlp: string
  /** Of the requests without a trace of their own, from 0 to 1. */
  share: number
  serviceName: string
  /** Of requests to the collector. */
  headers: [string, string][]
}

export type ErrorPages = Record<number, { contentType: string; body: string }>

export interface ListenerConfig {
  name: string
  bind: BindAddress[]
  /** `tls` passes TLS through unread but for its ClientHello, by which it is routed. */
  protocol: 'http' | 'https' | 'tcp' | 'tls'
  /** How TLS is ended; never null with `https`, and always with `http` and `tls`. */
  tls: ListenerTls | null
  /** Connections begin with a PROXY header, version 1 or 2, which only `trustedProxies` may send. */
  proxyProtocol: boolean
  /** CIDR ranges whose X-Forwarded-*, Forwarded, X-Real-IP and X-Request-Id are believed. */
  trustedProxies: string[]
  /** Which identity headers are sent to servers. All by default. */
  forwardedHeaders: ForwardedHeader[]
  /** Responses say how long they took (W3C Server Timing), and how they came about (RFC 9209). */
  serverTiming: boolean
  proxyStatus: boolean
  limits: { connections: number; connectionsPerIp: number | null; headerBytes: number; headers: number; bodyBytes: number | null }
  timeouts: { handshakeMs: number; headerMs: number; bodyMs: number; keepAliveMs: number; writeMs: number }
  /** Of responses that have none of that name. */
  securityHeaders: [string, string][]
  errorPages: ErrorPages
  /** In the order of the file; the router sorts by specificity. A listener's `upstream` or `redirectToHttps` is one route that matches all. */
  routes: RouteConfig[]
}

export type ForwardedHeader =
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-forwarded-host'
  | 'x-forwarded-port'
  | 'forwarded'
  | 'x-real-ip'
  | 'x-request-id'

export type BindAddress =
  | { kind: 'tcp'; host: string; port: number; lastPort: number; text: string } // host '' means every address (dual stack)
  | { kind: 'unix'; path: string; text: string }

export interface RouteConfig {
  /** Where it stands, e.g. `listeners.web.routes[2]`, with its line, for explain and messages. */
  place: { path: string; line: number }
  match: Match
  action: RouteAction
  rewrite: Rewrite | null
  headers: { request: HeaderEdits; response: HeaderEdits }
  /** `preserve` passes the client's Host on, `server` sends the server's own address, anything else is sent as it stands. */
  host: string
  errorPages: ErrorPages
  /** What differs from the upstream's own for requests of this route. */
  timeouts: Partial<UpstreamTimeouts>
  retry: Partial<RetryConfig>
  /** Functions of a TypeScript config; never set for YAML or JSON. */
  onRequest?: RequestFunction
  /** Of a route of a `tcp` or `tls` listener. */
  onConnection?: ConnectionFunction
  pick?: PickFunction
}

/** All fields that are given must match; `any`, `all`, `not` combine further matches. An empty match matches everything. */
export interface Match {
  host?: string[] // exact, or *.wildcard; lower case; without port; any of them
  path?: PathMatch[] // any of them
  method?: string[] // upper case; any of them
  header?: Record<string, ValueMatch> // all of them; names in lower case
  query?: Record<string, ValueMatch>
  cookie?: Record<string, ValueMatch>
  clientIp?: string[] // CIDR ranges or addresses; any of them
  port?: PortRange[] // local port that was connected to; any of them
  sni?: string[] // listeners for connections over TLS: exact, or *.wildcard; lower case; any of them
  alpn?: string[] // likewise: the client offers any of them
  proxyTlv?: Record<string, ValueMatch> // TLVs of a PROXY header by their type in decimal; all of them; values are latin1 text
  any?: Match[]
  all?: Match[]
  not?: Match
}

export interface PortRange {
  first: number
  last: number
}

export type PathMatch =
  | { kind: 'prefix'; value: string } // `/v1/` matches /v1/ and below, and `/v1` itself when the value ends in a slash
  | { kind: 'exact'; value: string }
  | { kind: 'regex'; value: string } // JavaScript syntax, with the leading ^ of the config kept

/** `true` present, `false` absent, a string equal, `{ regex }` matches somewhere, an array any of them. */
export type ValueMatch = boolean | string | { regex: string } | (string | { regex: string })[]

export type RouteAction =
  | { kind: 'forward'; split: { upstream: string; share: number }[] } // one entry with share 1 when not split
  | { kind: 'redirect'; to: string; status: 301 | 302 | 303 | 307 | 308 } // `to` may hold {placeholders}
  | { kind: 'answer'; status: number; body: string; contentType: string; headers: [string, string][] }

export interface Rewrite {
  stripPrefix: string | null
  addPrefix: string | null
  regex: { pattern: string; to: string } | null // JavaScript replacement syntax ($1), on the path
}

/** Values may hold placeholders: see placeholders.ts. */
export interface HeaderEdits {
  set: [string, string][]
  add: [string, string][]
  remove: string[]
}

export interface UpstreamConfig {
  name: string
  place: { path: string; line: number }
  balance: BalanceName
  /** Never null with a hash policy. */
  hash: HashConfig | null
  servers: ServerConfig[]
  /** Names whose addresses are servers. */
  discover: DiscoverConfig[]
  /** null: no active checks, and every server counts as up. */
  health: HealthConfig | null
  agent: AgentConfig | null
  passiveHealth: PassiveHealthConfig | null
  slowStart: { ms: number; floor: number } | null
  sticky: { cookie: string; ttlMs: number; secret: string | null } | null
  /** When every usable server is full. null: answered at once. */
  queue: { max: number; timeoutMs: number } | null
  /** When no server is usable. null: answered at once. */
  hold: { max: number; timeoutMs: number } | null
  /** Exchanges and tunnels at once over all servers and workers. */
  limits: { inFlight: number }
  breaker: BreakerConfig | null
  /** A second attempt on another server when the first has not answered in time; idempotent methods only. */
  hedge: { afterMs: number } | null
  /** idle: pooled connections per worker and server; idleTimeoutMs is where learning starts. */
  keepAlive: { idle: number; idleTimeoutMs: number }
  timeouts: UpstreamTimeouts
  retry: RetryConfig
  responseHeaderBytes: number
  /** null: servers are spoken to in plain. */
  tls: UpstreamTls | null
  /** The PROXY header that begins each connection to a server. */
  sendProxyProtocol: 'off' | 'v1' | 'v2'
}

export type BalanceName =
  | 'round-robin'
  | 'least-connections'
  | 'power-of-two'
  | 'least-time'
  | 'random'
  | 'first'
  | 'source-hash'
  | 'consistent-hash'

export interface HashConfig {
  key: HashKey
  table: 'ring' | 'maglev' | 'rendezvous'
  /** No server gets more than this times the average load; null is no bound. At least 1. */
  boundedLoad: number | null
}

export type HashKey =
  | { from: 'header' | 'cookie' | 'query'; name: string }
  | { from: 'path' | 'client-ip' }
  | { from: 'function'; function: HashKeyFunction }

export interface DiscoverConfig {
  /** `dns`: each A and AAAA record is a server on `port`. `srv`: each SRV record, with its port, weight and priority. */
  kind: 'dns' | 'srv'
  name: string
  port: number | null
  weight: number
  tier: number
  zone: string | null
  maxConnections: number | null
}

/** Inclusive ranges of statuses. */
export type StatusRanges = [number, number][]

export interface HealthConfig {
  check:
    | { kind: 'tcp' }
    | {
        kind: 'http'
        path: string
        method: string
        /** null: the server's address. */
        host: string | null
        headers: [string, string][]
        statuses: StatusRanges
        /** What the body must hold; null: anything. */
        body: string | { regex: string } | null
        /** A status by which a server asks to be drained; null: none. */
        softStop: number | null
      }
  /** Where it is checked; null: on its own port. */
  port: number | null
  intervalMs: number
  /** While verdicts change. */
  fastIntervalMs: number
  downIntervalMs: number
  timeoutMs: number
  rise: number
  fall: number
  /** Before the first verdict: `hold` keeps traffic waiting. */
  initial: 'hold' | 'up' | 'down'
}

export interface AgentConfig {
  port: number
  intervalMs: number
  timeoutMs: number
}

export interface PassiveHealthConfig {
  /** In a row. */
  failures: number
  /** Or this share of at least `minimum` in `windowMs`. */
  ratio: number
  minimum: number
  windowMs: number
  ejectForMs: number
  maxEjectForMs: number
  /** Share of the upstream's servers that may be ejected at once. */
  maxEjected: number
  /** Statuses of responses that are failures. */
  statuses: StatusRanges
  /** Mean time to the first byte over the window that is a failure; null: none. */
  latencyMs: number | null
}

export interface BreakerConfig {
  /** Opens when this share of at least `minimum` exchanges in `windowMs` failed, or the mean first byte took longer than `latencyMs`. */
  errors: number
  latencyMs: number | null
  minimum: number
  windowMs: number
  openMs: number
  /** How long the share that is let through grows after it was open. */
  rampMs: number
}

/** totalMs: null is no limit. */
export interface UpstreamTimeouts {
  connectMs: number
  firstByteMs: number
  idleMs: number
  tunnelMs: number
  totalMs: number | null
}

export interface RetryConfig {
  attempts: number
  on: RetryReason[]
  /** Statuses of responses to idempotent requests that are tried again. */
  statuses: StatusRanges
  /** Retries at once as a share of what is in flight, but at least 3. */
  budget: number
  /** No retry begins later than this after the request. */
  maxMs: number
  backoff: { baseMs: number; maxMs: number }
  replayBytes: number
}

export type RetryReason = 'connect' | 'unsent' | 'reset' | 'timeout'

export interface ServerConfig {
  /** Unique in its upstream; the address where none is given. */
  name: string
  address: ServerAddress
  /** 0 to 256. 0 takes no traffic. */
  weight: number
  /** Exchanges at once over all workers; null is no limit. */
  maxConnections: number | null
  /** 0 is used first, 1 when 0 has no eligible server, and so on. A backup server without a tier is in 1. */
  tier: number
  zone: string | null
  /** The name whose address it is, of one that was looked up. */
  foundAs?: string
}

export type ServerAddress =
  | { kind: 'tcp'; host: string; port: number; text: string } // host: IPv4, IPv6 without brackets, or a name
  | { kind: 'unix'; path: string; text: string }

/** Whether requests are read on a listener of this protocol. */
export function speaksHttp(protocol: ListenerConfig['protocol']): boolean {
  return protocol === 'http' || protocol === 'https'
}
