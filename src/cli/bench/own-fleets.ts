/** The upstreams of somebody's own config as fleets: their servers, weights and policy, over mock servers. Pure. */
import { type Config, type ServerConfig, speaksHttp, type UpstreamConfig } from '../../shared/config/model.ts'
import { counted } from '../words.ts'
import type { Fleet, MockServer } from './fleet.ts'
import type { LiveUpstreamProfile } from './live-profiles.ts'
import { configuredPolicy, type Policy, usualPolicies } from './policies.ts'
import { meanMs, type ServiceTime } from './service-time.ts'

/** Share of what the servers can do that the load asks for. */
const UTILISATION = 0.6
const USUAL_RATE = 480
const RATES = { least: 20, most: 1_000 }
/** Requests at a time of the server with the largest weight, where nothing was measured. */
const AT_ONCE = 8
/** Fewer would make requests wait for each other that did not where they were measured. */
const LEAST_AT_ONCE = 4
/** Mean service time where nothing was measured, in milliseconds. */
const MEANS = { least: 2, most: 200 }

export interface OwnFleetsPlan {
  /** null: no balancer answered. */
  profiles: ReadonlyMap<string, LiveUpstreamProfile> | null
  /** null: the usual ones. */
  policies: readonly Policy[] | null
  isQuick: boolean
  /** null: the observed one, or that for which the servers are made. */
  rate: number | null
}

/** Upstreams to which HTTP listeners send, in the order of the file, that have servers of their own. */
export function httpUpstreams({ listeners, upstreams }: Config): UpstreamConfig[] {
  const actions = listeners.filter(({ protocol }) => speaksHttp(protocol)).flatMap(({ routes }) => routes.map(({ action }) => action))
  const used = new Set(actions.flatMap((action) => (action.kind === 'forward' ? action.split.map(({ upstream }) => upstream) : [])))
  return upstreams.filter(({ name, servers }) => used.has(name) && servers.length > 0)
}

/** A fleet for each of these upstreams. */
export function ownFleets(upstreams: readonly UpstreamConfig[], plan: OwnFleetsPlan): Fleet[] {
  return upstreams.map((upstream) => ownFleet(upstream, plan))
}

function ownFleet(upstream: UpstreamConfig, { profiles, policies, isQuick, rate }: OwnFleetsPlan): Fleet {
  const profile = profiles?.get(upstream.name)
  const measured = upstream.servers.filter(({ name }) => (profile?.servers.get(name)?.length ?? 0) > 0)
  const own = configuredPolicy(upstream)
  const others = (policies ?? usualPolicies({ hasCaches: false, isQuick })).filter(({ id }) => id !== own.id)
  const chosen = rate ?? rateOf(profile)
  return {
    name: upstream.name,
    question: `The upstream "${upstream.name}" of the config with ${counted(upstream.servers.length, 'server')}, ${sourceOf(upstream, measured)}.`,
    servers: measured.length > 0 ? asMeasured(upstream, profile, chosen) : asUsual(upstream, chosen),
    rate: chosen,
    policies: [own, ...others],
    configured: own.id,
    keys: null,
    event: null,
    notes: notesOf(upstream, profile, chosen),
  }
}

function sourceOf({ servers }: UpstreamConfig, measured: readonly ServerConfig[]): string {
  if (measured.length === 0) return 'with made-up service times, as no running balancer has told any'
  if (measured.length === servers.length) return 'which take as long as the running balancer has measured'
  return `of which ${measured.length} take as long as the running balancer has measured, and the others as long as these together`
}

function notesOf({ hash, sticky, discover }: UpstreamConfig, profile: LiveUpstreamProfile | undefined, rate: number): string[] {
  const observed = profile?.requestsPerSecond ?? 0
  const differs = observed > 0 && Math.abs(observed - rate) >= 1
  return [
    ...(differs
      ? [`The running balancer has ${counted(Math.round(observed), 'request')}/s; measured is with ${rate}, and servers to match.`]
      : []),
    ...(hash !== null ? ['Each client has one key of its own for policies that hash.'] : []),
    ...(sticky !== null ? ['Nobody is sticky here.'] : []),
    ...(discover.length > 0 ? ['Servers that names bring are not among them.'] : []),
  ]
}

function rateOf(profile: LiveUpstreamProfile | undefined): number {
  const observed = profile?.requestsPerSecond ?? 0
  return observed > 0 ? Math.round(between(observed, RATES)) : USUAL_RATE
}

/**
 * What was measured holds the waiting in the servers at their load of then; so each has room for more than that. By its weight it is used
 * to 60 %, and beyond that it queues.
 */
function asMeasured({ servers }: UpstreamConfig, profile: LiveUpstreamProfile | undefined, rate: number): MockServer[] {
  const known = servers.flatMap(({ name }) => profile?.servers.get(name) ?? []).toSorted((a, b) => a.atMostMs - b.atMostMs)
  const weights = sumOf(servers.filter(({ tier }) => tier === firstTier(servers)).map(({ weight }) => weight))
  return servers.map((server) => {
    const own = profile?.servers.get(server.name) ?? []
    const service: ServiceTime = { kind: 'measured', points: own.length > 0 ? own : known }
    const perSecond = (rate * server.weight) / Math.max(1, weights)
    return mockOf(server, Math.max(LEAST_AT_ONCE, Math.ceil((perSecond * meanMs(service)) / 1_000 / UTILISATION)), service)
  })
}

/** Servers that can do as much as their weight says, and together somewhat more than the load asks for. */
function asUsual({ servers }: UpstreamConfig, rate: number): MockServer[] {
  const heaviest = Math.max(1, ...servers.map(({ weight }) => weight))
  const atOnce = ({ weight, maxConnections }: ServerConfig) =>
    Math.max(1, Math.min(Math.round((AT_ONCE * weight) / heaviest), maxConnections ?? Number.POSITIVE_INFINITY))
  const places = sumOf(servers.filter(({ tier, weight }) => tier === firstTier(servers) && weight > 0).map(atOnce))
  const mean = between((UTILISATION * places * 1_000) / rate, MEANS)
  return servers.map((server) => mockOf(server, atOnce(server), { kind: 'exponential', meanMs: Math.round(mean * 10) / 10 }))
}

function mockOf({ name, weight, maxConnections, tier }: ServerConfig, atOnce: number, service: ServiceTime): MockServer {
  return { name, weight, atOnce, service, cache: null, maxConnections, tier }
}

function firstTier(servers: readonly ServerConfig[]): number {
  return Math.min(...servers.map(({ tier }) => tier))
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function between(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, value))
}
