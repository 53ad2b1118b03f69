import { availableParallelism } from 'node:os'
import { buildLogs } from './build-log.ts'
import { buildSecurityHeaders } from './build-security-headers.ts'
import { buildListenerTls } from './build-tls.ts'
import { buildUpstream } from './build-upstream.ts'
import type { ConfigDocument } from './document.ts'
import type { PageBodies } from './error-pages.ts'
import { headerPairs } from './header-pairs.ts'
import { itemPath, keyPath } from './key-path.ts'
import type { AdminConfig, Config, ErrorPages, HeaderEdits, ListenerConfig, RouteAction, RouteConfig, UpstreamTimeouts } from './model.ts'
import type { CheckedConfig } from './schema.ts'

type CheckedListener = CheckedConfig['listeners'][string]
type CheckedRoute = NonNullable<CheckedListener['routes']>[number]
type CheckedEdits = CheckedRoute['headers']['request']

/** Places and files that the model takes over beside the checked values. */
interface Sources {
  document: ConfigDocument
  pages: PageBodies
  /** What paths in the config are relative to; absolute. */
  directory: string
  /** Of the file that the config names. */
  adminToken: string | null
}

/** The model from a checked config in which no problem was found. */
export function buildConfig(checked: CheckedConfig, sources: Sources): Config {
  return {
    source: sources.document.file,
    workers: checked.workers === 'auto' ? availableParallelism() : checked.workers,
    listeners: Object.entries(checked.listeners).map(([name, listener]) => buildListener(name, listener, sources)),
    upstreams: Object.entries(checked.upstreams).map(([name, upstream]) => buildUpstream(name, upstream, sources)),
    zone: checked.zone ?? null,
    ...buildProcess(checked, sources.adminToken),
    errorPages: buildErrorPages(checked.errorPages, 'errorPages', sources),
    ...buildLogs(checked),
  }
}

type ProcessConfig = Pick<Config, 'control' | 'admin' | 'user' | 'group' | 'pidFile' | 'shutdown'>

function buildProcess(checked: CheckedConfig, tokenOfFile: string | null): ProcessConfig {
  const { admin, user = null, group = null, pidFile = null, shutdown } = checked
  const { socket = null } = checked.control
  const { grace, delay, spread } = shutdown
  return {
    control: { isOn: socket !== 'off', socket: socket === 'off' ? null : socket },
    admin: admin === 'off' ? null : buildAdmin(admin, tokenOfFile),
    user,
    group,
    pidFile,
    shutdown: { graceMs: grace, delayMs: delay, spreadMs: grace === 0 ? spread : Math.min(spread, grace / 2) },
  }
}

function buildAdmin(admin: Exclude<CheckedConfig['admin'], 'off'>, tokenOfFile: string | null): AdminConfig {
  const { bind, token = tokenOfFile, viewToken = null, hosts } = admin
  return { bind, token, viewToken, hosts }
}

function buildListener(name: string, listener: CheckedListener, sources: Sources): ListenerConfig {
  const path = keyPath('listeners', name)
  const { timeouts, limits } = listener
  const routes = routesOf(listener, path, sources)
  return {
    name,
    bind: listener.bind,
    protocol: listener.protocol,
    tls: listener.tls === undefined ? null : buildListenerTls(listener.tls, { name, protocol: listener.protocol, routes, ...sources }),
    proxyProtocol: listener.proxyProtocol === 'on',
    trustedProxies: listener.trustedProxies,
    forwardedHeaders: listener.forwardedHeaders,
    serverTiming: listener.serverTiming === 'on',
    proxyStatus: listener.proxyStatus === 'on',
    securityHeaders: buildSecurityHeaders(listener.securityHeaders, listener.protocol === 'https'),
    limits: {
      ...limits,
      connectionsPerIp: limits.connectionsPerIp === 'none' ? null : limits.connectionsPerIp,
      bodyBytes: limits.bodyBytes === 'none' ? null : limits.bodyBytes,
    },
    timeouts: {
      handshakeMs: timeouts.handshake,
      headerMs: timeouts.header,
      bodyMs: timeouts.body,
      keepAliveMs: timeouts.keepAlive,
      writeMs: timeouts.write,
    },
    errorPages: buildErrorPages(listener.errorPages, keyPath(path, 'errorPages'), sources),
    routes,
  }
}

/** A listener has routes, or says in one word what its only route does. */
function routesOf(listener: CheckedListener, path: string, sources: Sources): RouteConfig[] {
  const { upstream, redirectToHttps } = listener
  if (upstream !== undefined) return [routeToAll({ kind: 'forward', split: [{ upstream, share: 1 }] }, keyPath(path, 'upstream'), sources)]
  if (redirectToHttps === undefined) return buildRoutes(listener, path, sources)
  const port = redirectToHttps === true || redirectToHttps === 443 ? '' : `:${redirectToHttps}`
  const to = `https://{host}${port}{request.uri}`
  return [routeToAll({ kind: 'redirect', to, status: 308 }, keyPath(path, 'redirectToHttps'), sources)]
}

function buildRoutes(listener: CheckedListener, path: string, sources: Sources): RouteConfig[] {
  return (listener.routes ?? []).map((route, index) => buildRoute(route, itemPath(keyPath(path, 'routes'), index), sources))
}

function buildRoute(route: CheckedRoute, path: string, sources: Sources): RouteConfig {
  const { stripPrefix = null, addPrefix = null, regex = null } = route.rewrite
  return {
    place: { path, line: sources.document.lineOf(path) },
    match: route.match,
    action: buildAction(route),
    rewrite: { stripPrefix, addPrefix, regex },
    headers: { request: buildEdits(route.headers.request), response: buildEdits(route.headers.response) },
    host: route.host,
    errorPages: buildErrorPages(route.errorPages, keyPath(path, 'errorPages'), sources),
    timeouts: buildRouteTimeouts(route.timeouts),
    retry: route.retry,
    ...(route.onRequest === undefined ? {} : { onRequest: route.onRequest }),
    ...(route.onConnection === undefined ? {} : { onConnection: route.onConnection }),
    ...(route.pick === undefined ? {} : { pick: route.pick }),
  }
}

/** The one route of a listener without routes. */
function routeToAll(action: RouteAction, path: string, sources: Sources): RouteConfig {
  const noEdits = (): HeaderEdits => ({ set: [], add: [], remove: [] })
  return {
    place: { path, line: sources.document.lineOf(path) },
    match: {},
    action,
    rewrite: { stripPrefix: null, addPrefix: null, regex: null },
    headers: { request: noEdits(), response: noEdits() },
    host: 'preserve',
    errorPages: {},
    timeouts: {},
    retry: {},
  }
}

function buildAction(route: CheckedRoute): RouteAction {
  if (route.redirect) return { kind: 'redirect', ...route.redirect }
  if (route.answer) {
    const { status, body, contentType, headers } = route.answer
    return { kind: 'answer', status, body, contentType, headers: headerPairs(headers) }
  }
  const shares = route.split ?? { [route.upstream ?? '']: 1 }
  return { kind: 'forward', split: Object.entries(shares).map(([upstream, share]) => ({ upstream, share })) }
}

function buildEdits(edits: CheckedEdits): HeaderEdits {
  return { set: Object.entries(edits.set), add: headerPairs(edits.add), remove: edits.remove }
}

/** Only what is given: the rest is as the upstream has it. */
function buildRouteTimeouts({ connect, firstByte, idle, tunnel, total }: CheckedRoute['timeouts']): Partial<UpstreamTimeouts> {
  return {
    ...(connect === undefined ? {} : { connectMs: connect }),
    ...(firstByte === undefined ? {} : { firstByteMs: firstByte }),
    ...(idle === undefined ? {} : { idleMs: idle }),
    ...(tunnel === undefined ? {} : { tunnelMs: tunnel }),
    ...(total === undefined ? {} : { totalMs: total === 'none' ? null : total }),
  }
}

function buildErrorPages(pages: CheckedConfig['errorPages'], path: string, { pages: bodies }: Sources): ErrorPages {
  const built = Object.entries(pages).map(([status, page]) => {
    return [Number(status), { contentType: page.contentType, body: bodies.get(keyPath(path, status)) ?? '' }] as const
  })
  return Object.fromEntries(built)
}
