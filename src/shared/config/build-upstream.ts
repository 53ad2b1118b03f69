import { buildUpstreamTls } from './build-tls.ts'
import type { ConfigDocument } from './document.ts'
import { headerPairs } from './header-pairs.ts'
import { keyPath } from './key-path.ts'
import type {
  AgentConfig,
  BreakerConfig,
  DiscoverConfig,
  HashConfig,
  HealthConfig,
  PassiveHealthConfig,
  RetryConfig,
  ServerAddress,
  ServerConfig,
  UpstreamConfig,
} from './model.ts'
import type { CheckedConfig } from './schema.ts'

type CheckedUpstream = CheckedConfig['upstreams'][string]
type CheckedServer = Extract<CheckedUpstream['servers'][number], { weight: number }>
/** An option without its word `off`. */
type InForce<K extends keyof CheckedUpstream> = Exclude<CheckedUpstream[K], 'off'>

/** Where the weight of a returning server begins. */
const slowStartFloor = 0.1

/** Where the upstream stands, and what its paths are relative to. */
interface UpstreamSources {
  document: ConfigDocument
  directory: string
}

/** The model of one upstream. */
export function buildUpstream(name: string, upstream: CheckedUpstream, { document, directory }: UpstreamSources): UpstreamConfig {
  const path = keyPath('upstreams', name)
  const { timeouts, keepAlive, slowStart } = upstream
  return {
    name,
    place: { path, line: document.lineOf(path) },
    balance: upstream.balance,
    hash: buildHash(upstream),
    servers: upstream.servers.flatMap(buildListed),
    discover: upstream.servers.flatMap(buildDiscover),
    health: inForce(upstream.health, buildHealth),
    agent: inForce(upstream.agent, buildAgent),
    passiveHealth: inForce(upstream.passiveHealth, buildPassiveHealth),
    slowStart: slowStart === 'off' ? null : { ms: slowStart, floor: slowStartFloor },
    sticky: inForce(upstream.sticky, ({ cookie, ttl, secret = null }) => ({ cookie, ttlMs: ttl, secret })),
    queue: inForce(upstream.queue, ({ max, timeout }) => ({ max, timeoutMs: timeout })),
    hold: inForce(upstream.hold, ({ max, timeout }) => ({ max, timeoutMs: timeout })),
    limits: { inFlight: upstream.limits.inFlight },
    breaker: inForce(upstream.breaker, buildBreaker),
    hedge: inForce(upstream.hedge, ({ after }) => ({ afterMs: after })),
    keepAlive: { idle: keepAlive.idle, idleTimeoutMs: keepAlive.idleTimeout },
    timeouts: {
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      tunnelMs: timeouts.tunnel,
      totalMs: timeouts.total === 'none' ? null : timeouts.total,
    },
    retry: buildRetry(upstream.retry),
    responseHeaderBytes: upstream.responseHeaderBytes,
    tls: upstream.tls === undefined ? null : buildUpstreamTls(upstream.tls, directory),
    sendProxyProtocol: upstream.sendProxyProtocol,
  }
}

function inForce<C, M>(checked: 'off' | C, build: (checked: C) => M): M | null {
  return checked === 'off' ? null : build(checked as C)
}

function orNull<V>(value: V | 'off'): V | null {
  return value === 'off' ? null : (value as V)
}

/** A hash by client address has no options of its own. */
function buildHash({ balance, hash }: CheckedUpstream): HashConfig | null {
  if (balance === 'source-hash') return { key: { from: 'client-ip' }, table: 'ring', boundedLoad: null }
  if (!hash) return null
  const { key, table, boundedLoad } = hash
  return { key: typeof key === 'function' ? { from: 'function', function: key } : key, table, boundedLoad: orNull(boundedLoad) }
}

function buildListed(server: CheckedUpstream['servers'][number]): ServerConfig[] {
  if ('kind' in server) return [buildServer({ address: server, weight: 1, backup: false })]
  const { address } = server
  return address === undefined ? [] : [buildServer({ ...server, address })]
}

/** A server by its entry in the config, or by a command. */
export function buildServer(server: CheckedServer & { address: ServerAddress }): ServerConfig {
  const { address, name = address.text } = server
  return { name, address, ...common(server) }
}

function buildDiscover(server: CheckedUpstream['servers'][number]): DiscoverConfig[] {
  if ('kind' in server) return []
  if (server.dns) return [{ kind: 'dns', ...server.dns, ...common(server) }]
  return server.srv === undefined ? [] : [{ kind: 'srv', name: server.srv, port: null, ...common(server) }]
}

/** What listed and discovered servers have in common. */
function common(server: CheckedServer): Pick<DiscoverConfig, 'weight' | 'maxConnections' | 'tier' | 'zone'> {
  const { weight, maxConnections = null, backup, tier = backup ? 1 : 0, zone = null } = server
  return { weight, maxConnections, tier, zone }
}

/** Defaults give way to an interval that is shorter than they are; what is given and longer has been refused. */
function buildHealth(health: InForce<'health'>): HealthConfig {
  const { port = null, interval, rise, fall, initial } = health
  return {
    check: buildCheck(health),
    port,
    intervalMs: interval,
    fastIntervalMs: Math.min(health.fastInterval, interval),
    downIntervalMs: health.downInterval,
    timeoutMs: Math.min(health.timeout, interval),
    rise,
    fall,
    initial,
  }
}

function buildCheck(health: InForce<'health'>): HealthConfig['check'] {
  const { http: path, method, host = null, status, body = null, softStop = null } = health
  if (path === undefined) return { kind: 'tcp' }
  return { kind: 'http', path, method, host, headers: headerPairs(health.headers), statuses: status, body, softStop }
}

function buildAgent({ port, interval, timeout }: InForce<'agent'>): AgentConfig {
  return { port, intervalMs: interval, timeoutMs: Math.min(timeout, interval) }
}

function buildPassiveHealth(passive: InForce<'passiveHealth'>): PassiveHealthConfig {
  const { failures, ratio, minimum, window, ejectFor, maxEjectFor, maxEjected, status, latency } = passive
  return {
    failures,
    ratio,
    minimum,
    windowMs: window,
    ejectForMs: ejectFor,
    maxEjectForMs: Math.max(maxEjectFor, ejectFor),
    maxEjected,
    statuses: status,
    latencyMs: orNull(latency),
  }
}

function buildBreaker({ errors, latency, minimum, window, open, ramp }: InForce<'breaker'>): BreakerConfig {
  return { errors, latencyMs: orNull(latency), minimum, windowMs: window, openMs: open, rampMs: ramp }
}

function buildRetry({ attempts, on, statuses, budget, maxTime, backoff, replayBytes }: CheckedUpstream['retry']): RetryConfig {
  const { base, max } = backoff
  return { attempts, on, statuses, budget, maxMs: maxTime, backoff: { baseMs: base, maxMs: Math.max(max, base) }, replayBytes }
}
