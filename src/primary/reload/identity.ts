/** By what the parts of two configs are known to be the same part, and whether it is as it was. */
import type {
  BindAddress,
  ListenerConfig,
  Match,
  RouteConfig,
  ServerAddress,
  ServerConfig,
  UpstreamConfig,
} from '../../shared/config/model.ts'
import { writtenListener } from './written-listener.ts'
import { writtenRoute } from './written-route.ts'
import { discoverName, writtenDiscover, writtenServer } from './written-server.ts'
import { writtenUpstream } from './written-upstream.ts'

/** Where something listens or is reached, written in one way only. */
export function addressKey(address: BindAddress | ServerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  const last = 'lastPort' in address && address.lastPort !== address.port ? `-${address.lastPort}` : ''
  return `${address.host.toLowerCase()}|${address.port}${last}`
}

/** A match without the order in which its alternatives are written. */
export function matchKey(match: Match): string {
  return canonical(match)
}

/** Whether nothing about a server differs; one at another address is another server, whatever its name. */
export function isSameServer(a: ServerConfig, b: ServerConfig): boolean {
  return a.name === b.name && addressKey(a.address) === addressKey(b.address) && canonical(writtenServer(a)) === canonical(writtenServer(b))
}

/** Whether a route matches and does the same; where it stands does not count. */
export function isSameRoute(a: RouteConfig, b: RouteConfig): boolean {
  return matchKey(a.match) === matchKey(b.match) && canonical(writtenRoute(a)) === canonical(writtenRoute(b))
}

/** Whether nothing about a listener differs, routes and addresses included. */
export function isSameListener(a: ListenerConfig, b: ListenerConfig): boolean {
  return (
    a.name === b.name &&
    canonical(a.bind.map(addressKey)) === canonical(b.bind.map(addressKey)) &&
    canonical(writtenListener(a)) === canonical(writtenListener(b)) &&
    sameInOrder(a.routes, b.routes, isSameRoute)
  )
}

/** Whether nothing about an upstream differs, servers included. */
export function isSameUpstream(a: UpstreamConfig, b: UpstreamConfig): boolean {
  const discovered = (upstream: UpstreamConfig) => upstream.discover.map((one) => [one.kind, discoverName(one), writtenDiscover(one)])
  return (
    a.name === b.name &&
    canonical(writtenUpstream(a)) === canonical(writtenUpstream(b)) &&
    canonical(discovered(a)) === canonical(discovered(b)) &&
    sameInOrder(a.servers, b.servers, isSameServer)
  )
}

function sameInOrder<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, index) => isSame(item, b[index] as T))
}

/** JSON with keys in order and the items of every list in order: of a match, whose lists are sets. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${entries
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .toSorted()
    .join()}}`
}
