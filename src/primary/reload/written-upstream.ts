import { formatDuration, formatShare, formatSize } from '../../shared/base/units.ts'
import type {
  BreakerConfig,
  HashConfig,
  HealthConfig,
  PassiveHealthConfig,
  RetryConfig,
  UpstreamConfig,
} from '../../shared/config/model.ts'
import { durationOr, given, list, pairs, sectionOrOff, statuses, type Written, type WrittenSection } from './written.ts'
import { writtenUpstreamTls } from './written-tls.ts'

/** The options of an upstream but for its servers, which are compared one by one. */
export function writtenUpstream(upstream: UpstreamConfig): WrittenSection {
  const { keepAlive, timeouts, sticky } = upstream
  return given({
    balance: upstream.balance,
    // By client address nothing can be chosen, so nothing stands in the file.
    hash: upstream.hash === null || upstream.balance === 'source-hash' ? null : writtenHash(upstream.hash),
    health: sectionOrOff(upstream.health, writtenHealth),
    agent: sectionOrOff(upstream.agent, ({ port, ...times }) => ({ port: String(port), ...checkTimes(times) })),
    passiveHealth: sectionOrOff(upstream.passiveHealth, writtenPassive),
    slowStart: durationOr(upstream.slowStart?.ms ?? null, 'off'),
    sticky: sectionOrOff(sticky, ({ cookie, ttlMs, secret }) => given({ cookie, ttl: formatDuration(ttlMs), secret })),
    queue: sectionOrOff(upstream.queue, writtenWaiting),
    hold: sectionOrOff(upstream.hold, writtenWaiting),
    limits: { inFlight: String(upstream.limits.inFlight) },
    breaker: sectionOrOff(upstream.breaker, writtenBreaker),
    hedge: sectionOrOff(upstream.hedge, ({ afterMs }) => ({ after: formatDuration(afterMs) })),
    keepAlive: { idle: String(keepAlive.idle), idleTimeout: formatDuration(keepAlive.idleTimeoutMs) },
    timeouts: {
      connect: formatDuration(timeouts.connectMs),
      firstByte: formatDuration(timeouts.firstByteMs),
      idle: formatDuration(timeouts.idleMs),
      tunnel: formatDuration(timeouts.tunnelMs),
      total: durationOr(timeouts.totalMs, 'none'),
    },
    retry: writtenRetry(upstream.retry),
    responseHeaderBytes: formatSize(upstream.responseHeaderBytes),
    tls: upstream.tls === null ? null : writtenUpstreamTls(upstream.tls),
    sendProxyProtocol: upstream.sendProxyProtocol,
  })
}

function writtenHash({ key, table, boundedLoad }: HashConfig): WrittenSection {
  return { key: hashKeyText(key), table, boundedLoad: String(boundedLoad ?? 'off') }
}

function hashKeyText(key: HashConfig['key']): string {
  if (key.from === 'function') return String(key.function)
  return 'name' in key ? `${key.from}:${key.name}` : key.from
}

function writtenHealth(health: HealthConfig): WrittenSection {
  return given({
    ...writtenCheck(health.check),
    port: health.port === null ? null : String(health.port),
    ...checkTimes(health),
    fastInterval: formatDuration(health.fastIntervalMs),
    downInterval: formatDuration(health.downIntervalMs),
    rise: String(health.rise),
    fall: String(health.fall),
    initial: health.initial,
  })
}

function writtenCheck(check: HealthConfig['check']): Record<string, Written | null> {
  if (check.kind === 'tcp') return {}
  const { path, method, host, headers, body, softStop } = check
  return {
    http: path,
    method,
    host,
    headers: pairs(headers),
    status: statuses(check.statuses),
    body: body === null || typeof body === 'string' ? body : { regex: body.regex },
    softStop: softStop === null ? null : String(softStop),
  }
}

function checkTimes({ intervalMs, timeoutMs }: { intervalMs: number; timeoutMs: number }): WrittenSection {
  return { interval: formatDuration(intervalMs), timeout: formatDuration(timeoutMs) }
}

function writtenPassive(passive: PassiveHealthConfig): WrittenSection {
  return {
    failures: String(passive.failures),
    ratio: formatShare(passive.ratio),
    minimum: String(passive.minimum),
    window: formatDuration(passive.windowMs),
    ejectFor: formatDuration(passive.ejectForMs),
    maxEjectFor: formatDuration(passive.maxEjectForMs),
    maxEjected: formatShare(passive.maxEjected),
    status: statuses(passive.statuses),
    latency: durationOr(passive.latencyMs, 'off'),
  }
}

function writtenWaiting({ max, timeoutMs }: { max: number; timeoutMs: number }): WrittenSection {
  return { max: String(max), timeout: formatDuration(timeoutMs) }
}

function writtenBreaker(breaker: BreakerConfig): WrittenSection {
  return {
    errors: formatShare(breaker.errors),
    latency: durationOr(breaker.latencyMs, 'off'),
    minimum: String(breaker.minimum),
    window: formatDuration(breaker.windowMs),
    open: formatDuration(breaker.openMs),
    ramp: formatDuration(breaker.rampMs),
  }
}

function writtenRetry(retry: RetryConfig): WrittenSection {
  return {
    attempts: String(retry.attempts),
    on: list(retry.on),
    statuses: statuses(retry.statuses),
    budget: formatShare(retry.budget),
    maxTime: formatDuration(retry.maxMs),
    backoff: { base: formatDuration(retry.backoff.baseMs), max: formatDuration(retry.backoff.maxMs) },
    replayBytes: formatSize(retry.replayBytes),
  }
}
