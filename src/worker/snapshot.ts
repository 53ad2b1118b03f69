/** The compiled config that a worker serves from. Immutable but for what policies remember; swapped whole. */
import { abi } from '../native/abi.ts'
import type { Engine, ListenerOptions, PlanOptions, ServerOptions, TunnelPlanOptions } from '../native/contract.ts'
import type { ListenerConfig, RouteConfig, ServerConfig, UpstreamConfig } from '../shared/config/model.ts'
import type { ResolvedAddress, Serve } from '../shared/ipc/protocol.ts'
import { pagesOf } from './forward/answers.ts'
import { headerProgram } from './forward/header-program.ts'
import type { BoardView } from './pick/picker.ts'
import { UpstreamPicker } from './pick/upstream-picker.ts'
import type { CompiledRedirect } from './route/redirect.ts'
import { compileRedirect } from './route/redirect.ts'
import type { CompiledRewrite } from './route/rewrite.ts'
import { compileRewrite } from './route/rewrite.ts'
import type { HostRoutes, Router } from './route/router.ts'
import { compileRouter } from './route/router.ts'
import type { Split } from './route/split.ts'
import { compileSplit } from './route/split.ts'

/** One upstream in this worker. */
export interface Upstream {
  readonly config: UpstreamConfig
  readonly picker: UpstreamPicker
  readonly slots: readonly number[]
}

/** What a route does, ready to run. `forward` has one target per upstream of its split, each with its own header program. */
export type Action =
  | { readonly kind: 'forward'; readonly split: Split; readonly targets: readonly Target[] }
  | { readonly kind: 'redirect'; readonly redirect: CompiledRedirect; readonly status: number }
  | { readonly kind: 'answer'; readonly status: number; readonly headers: string; readonly contentType: string; readonly body: string }

export interface Target {
  readonly upstream: Upstream
  /** Id of the engine's plan. */
  readonly plan: number
  readonly route: RunningRoute
}

/** One upstream of an L4 route. */
export interface TunnelTarget {
  readonly upstream: Upstream
  /** Id of the engine's tunnel plan. */
  readonly plan: number
}

export interface RunningRoute {
  readonly config: RouteConfig
  readonly action: Action
  readonly rewrite: CompiledRewrite
  /** Of a route of a `tcp` or `tls` listener; its `action` has no targets. */
  readonly tunnel: { readonly split: Split; readonly targets: readonly TunnelTarget[] }
}

export interface RunningListener {
  readonly config: ListenerConfig
  readonly router: Router
  /** By index into the config's routes. */
  readonly routes: readonly RunningRoute[]
  /** By interned host id; filled as hosts are seen. */
  readonly hosts: HostRoutes[]
}

const NO_SPLIT = compileSplit([])
const NO_TUNNEL = { split: NO_SPLIT, targets: [] }

export class Snapshot {
  readonly generation: number
  readonly listeners: readonly RunningListener[]
  readonly board: BoardView
  /** By plan id. */
  readonly targets: readonly Target[]
  /** By tunnel plan id. */
  readonly tunnelTargets: readonly TunnelTarget[]
  readonly upstreams: ReadonlyMap<string, Upstream>

  readonly #order: Serve
  readonly #engine: Engine

  constructor(order: Serve, engine: Engine) {
    this.#order = order
    this.#engine = engine
    this.generation = order.generation
    this.board = {
      inFlight: new Int32Array(engine.board),
      stride: abi.board.totalStride / 4,
      offset: abi.board.headerBytes / 4,
    }
    this.upstreams = new Map(order.config.upstreams.map((upstream) => [upstream.name, compileUpstream(upstream, order)]))
    const targets: Target[] = []
    const tunnelTargets: TunnelTarget[] = []
    this.listeners = order.config.listeners.map((config) => {
      const routes = config.routes.map((route) =>
        config.protocol === 'http' ? this.#compileRoute(route, targets) : this.#compileTunnelRoute(route, tunnelTargets),
      )
      return { config, router: compileRouter(config.routes), routes, hosts: [] }
    })
    this.targets = targets
    this.tunnelTargets = tunnelTargets
    this.#install(order, engine)
  }

  /** A server's name resolves to other addresses now. */
  relocate(server: string, addresses: ResolvedAddress[]): void {
    this.#order.addresses[server] = addresses
    const upstream = this.#order.config.upstreams.find((one) => server.startsWith(`${one.name}/`))
    const config = upstream?.servers.find((one) => `${upstream.name}/${one.name}` === server)
    if (upstream && config) this.#engine.defineServer(this.#order.slots[server] as number, serverOptions(upstream, config, this.#order))
  }

  #compileTunnelRoute(config: RouteConfig, targets: TunnelTarget[]): RunningRoute {
    const split = config.action.kind === 'forward' ? config.action.split : []
    const own = this.#upstreamNames(config).map((name, index) => {
      return { upstream: this.upstreams.get(name) as Upstream, plan: targets.length + index }
    })
    targets.push(...own)
    const rewrite = compileRewrite(null)
    return {
      config,
      rewrite,
      action: { kind: 'forward', split: NO_SPLIT, targets: [] },
      tunnel: { split: compileSplit(split), targets: own },
    }
  }

  /** A function of the config may choose any upstream, so such a route gets a plan for each, those of its split first. */
  #upstreamNames(config: RouteConfig): string[] {
    const named = config.action.kind === 'forward' ? config.action.split.map((part) => part.upstream) : []
    return config.onRequest || config.onConnection ? [...new Set([...named, ...this.upstreams.keys()])] : named
  }

  #compileRoute(config: RouteConfig, targets: Target[]): RunningRoute {
    const action = config.action
    const rewrite = compileRewrite(config.rewrite)
    const tunnel = NO_TUNNEL
    if (action.kind === 'redirect')
      return { config, rewrite, tunnel, action: { kind: 'redirect', redirect: compileRedirect(action.to), status: action.status } }
    if (action.kind === 'answer') {
      const headers = action.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      return {
        config,
        rewrite,
        tunnel,
        action: { kind: 'answer', status: action.status, headers, contentType: action.contentType, body: action.body },
      }
    }
    const own: Target[] = []
    const route: RunningRoute = { config, rewrite, tunnel, action: { kind: 'forward', split: compileSplit(action.split), targets: own } }
    for (const name of this.#upstreamNames(config)) {
      const target = { upstream: this.upstreams.get(name) as Upstream, plan: targets.length, route }
      targets.push(target)
      own.push(target)
    }
    return route
  }

  /** Tells the engine. Plans and servers of the snapshot before are replaced in place: what runs on them finishes as it began. */
  #install(order: Serve, engine: Engine): void {
    for (const upstream of order.config.upstreams) {
      for (const server of upstream.servers) {
        const name = `${upstream.name}/${server.name}`
        engine.defineServer(order.slots[name] as number, serverOptions(upstream, server, order))
      }
    }
    for (const target of this.targets) engine.definePlan(target.plan, planOptions(target))
    for (const target of this.tunnelTargets) engine.defineTunnelPlan(target.plan, tunnelPlanOptions(target))
    this.listeners.forEach((listener, index) => {
      engine.configureListener(index, listenerOptions(listener.config, order.config.errorPages))
    })
  }
}

function compileUpstream(config: UpstreamConfig, order: Serve): Upstream {
  const slots = config.servers.map((server) => order.slots[`${config.name}/${server.name}`] as number)
  const servers = config.servers.map((server, i) => ({
    slot: slots[i] as number,
    weight: server.weight,
    maxConnections: server.maxConnections,
    backup: server.backup,
  }))
  return { config, slots, picker: new UpstreamPicker(config.balance, servers, order.column) }
}

function serverOptions(upstream: UpstreamConfig, server: ServerConfig, order: Serve): ServerOptions {
  const name = `${upstream.name}/${server.name}`
  return {
    name,
    hostHeader: server.address.kind === 'tcp' ? hostHeaderOf(server.address.host, server.address.port) : 'localhost',
    addresses: order.addresses[name] ?? [],
    maxConnections: server.maxConnections ?? 0,
    idle: upstream.keepAlive.idle,
    idleTimeoutMs: upstream.keepAlive.idleTimeoutMs,
    queueSlot: -1,
    failing: [],
  }
}

function hostHeaderOf(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 ? name : `${name}:${port}`
}

function planOptions(target: Target): PlanOptions {
  const { timeouts, retry, responseHeaderBytes, name } = target.upstream.config
  const { route } = target
  return {
    host: route.config.host,
    strip: route.rewrite.kind === 'static' ? route.rewrite.strip : '',
    add: route.rewrite.kind === 'static' ? route.rewrite.add : '',
    upstream: name,
    request: headerProgram(route.config.headers.request),
    response: headerProgram(route.config.headers.response),
    ...timeouts,
    replayBytes: retry.replayBytes,
    responseHeadBytes: responseHeaderBytes,
    tellFinished: false,
    totalMs: 0,
    retryStatuses: [],
    sendProxy: abi.sendProxy[target.upstream.config.sendProxyProtocol],
  }
}

function tunnelPlanOptions({ upstream: { config } }: TunnelTarget): TunnelPlanOptions {
  return { connectMs: config.timeouts.connectMs, idleMs: config.timeouts.tunnelMs, sendProxy: abi.sendProxy[config.sendProxyProtocol] }
}

const forwardedBits: Record<string, number> = {
  'x-forwarded-for': abi.forwarded.for,
  'x-forwarded-proto': abi.forwarded.proto,
  'x-forwarded-host': abi.forwarded.host,
  'x-forwarded-port': abi.forwarded.port,
  forwarded: abi.forwarded.forwarded,
  'x-real-ip': abi.forwarded.realIp,
  'x-request-id': abi.forwarded.requestId,
}

function listenerOptions(config: ListenerConfig, errorPages: Serve['config']['errorPages']): ListenerOptions {
  let forwarded = 0
  for (const header of config.forwardedHeaders) forwarded |= forwardedBits[header] as number
  return {
    ...config.limits,
    ...config.timeouts,
    protocol: abi.protocol[config.protocol],
    proxyProtocol: config.proxyProtocol,
    connectionsPerIp: config.limits.connectionsPerIp ?? 0,
    forwarded,
    trustedProxies: config.trustedProxies,
    pages: pagesOf({ ...errorPages, ...config.errorPages }),
  }
}
