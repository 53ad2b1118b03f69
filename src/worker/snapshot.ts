/** The compiled config that a worker serves from. Immutable but for what policies remember; swapped whole. */
import { abi } from '../native/abi.ts'
import type { Engine, ListenerOptions, PlanOptions, ServerOptions, TunnelPlanOptions } from '../native/contract.ts'
import { serverIndex } from '../shared/board/layout.ts'
import {
  type ListenerConfig,
  type RetryConfig,
  type RouteConfig,
  type ServerConfig,
  speaksHttp,
  type UpstreamConfig,
} from '../shared/config/model.ts'
import type { ListeningSockets, ResolvedAddress, Serve } from '../shared/ipc/protocol.ts'
import type { BreakerState, ServerRecord } from '../shared/ipc/server-state.ts'
import { capturedHeaders } from '../shared/records/record-format.ts'
import { pagesOf } from './forward/answers.ts'
import { headerProgram } from './forward/header-program.ts'
import type { TableChange } from './gossip-receiver.ts'
import type { BoardView, LatencyView } from './pick/picker.ts'
import { PlanBook } from './plan-book.ts'
import type { CompiledRedirect } from './route/redirect.ts'
import { compileRedirect } from './route/redirect.ts'
import type { CompiledRewrite } from './route/rewrite.ts'
import { compileRewrite } from './route/rewrite.ts'
import type { HostRoutes, Router } from './route/router.ts'
import { compileRouter } from './route/router.ts'
import type { Split } from './route/split.ts'
import { compileSplit } from './route/split.ts'
import { TableShop } from './tables.ts'
import { Upstream } from './upstream.ts'

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
  /** The upstream's, with what the route has of its own. */
  readonly retry: RetryConfig
}

/** One upstream of an L4 route. */
export interface TunnelTarget {
  readonly upstream: Upstream
  /** Id of the engine's tunnel plan. */
  readonly plan: number
  readonly config: RouteConfig
  /** Row of its route on the board. */
  readonly row: number
  readonly retry: RetryConfig
}

export interface RunningRoute {
  readonly config: RouteConfig
  readonly action: Action
  readonly rewrite: CompiledRewrite
  /** Of the board. */
  readonly row: number
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

/** What a breaker counts where passive health says nothing of statuses. */
const GATEWAY_FAILURES: [number, number][] = [[502, 504]]
const NO_SPLIT = compileSplit([])
const NO_TUNNEL = { split: NO_SPLIT, targets: [] }

export class Snapshot {
  readonly generation: number
  /** By row of the board; a row without a listener is a hole. */
  readonly listeners: readonly RunningListener[]
  readonly board: BoardView
  readonly latencies: LatencyView
  readonly upstreams: ReadonlyMap<string, Upstream>

  /** Rows of listeners that are in force, and of those that are no more but may have connections. */
  readonly slots: readonly number[]

  readonly #order: Serve
  readonly #engine: Engine
  readonly #targets: Target[] = []
  readonly #tunnelTargets: TunnelTarget[] = []
  readonly #configs = new Map<string, UpstreamConfig>()
  /** What `activate` does to upstreams that live on. */
  readonly #updates: (() => void)[] = []
  readonly #plans: PlanBook<Target, TunnelTarget>
  readonly #previous: ReadonlyMap<string, Upstream>
  readonly #shop: TableShop
  /** By row: whose news are for whom. */
  readonly #bySlot = new Map<number, { server: string; upstream: Upstream }>()

  /** Compiles, and changes nothing: `activate` brings it into force. Throws for a config that cannot be served. */
  constructor(order: Serve, engine: Engine, previous: Snapshot | null = null) {
    this.#order = order
    this.#engine = engine
    this.#previous = previous?.upstreams ?? new Map()
    this.#shop = previous === null ? new TableShop() : previous.#shop
    this.#plans = previous === null ? new PlanBook() : previous.#plans
    this.generation = order.generation
    const totals = new Int32Array(engine.board)
    const counters = new Float64Array(engine.board, 0, Math.floor(engine.board.byteLength / 8))
    this.board = { inFlight: totals, stride: abi.board.totalStride / 4, offset: abi.board.headerBytes / 4 }
    this.latencies = { read: (slot) => counters[serverIndex(order.column, slot, abi.serverCounter.ewmaUs)] as number }
    const { column, columns } = order
    const { zone } = order.config
    const upstreams = new Map<string, Upstream>()
    for (const config of order.config.upstreams) {
      const slots = config.servers.map((server) => order.slots[`${config.name}/${server.name}`] as number)
      const place = { config, slots, column, columns, zone, counters, totals }
      const before = previous?.upstreams.get(config.name)
      if (before !== undefined) this.#updates.push(() => before.update(place))
      const upstream = before ?? new Upstream(place)
      config.servers.forEach((server, i) => {
        this.#bySlot.set(slots[i] as number, { server: `${config.name}/${server.name}`, upstream })
      })
      upstreams.set(config.name, upstream)
      this.#configs.set(config.name, config)
    }
    this.upstreams = upstreams
    const compiled = [
      ...order.config.listeners.map((config, i) => ({
        config,
        slot: (order.sockets[i] as ListeningSockets).slot,
        rows: order.routes[i] as number[],
      })),
      ...this.#retired(order, previous),
    ]
    const listeners: RunningListener[] = []
    for (const { config, slot, rows } of compiled) {
      const routes = config.routes.map((route, i) =>
        speaksHttp(config.protocol) ? this.#compileRoute(route, rows[i] as number) : this.#compileTunnelRoute(route, rows[i] as number),
      )
      listeners[slot] = { config, router: compileRouter(config.routes), routes, hosts: [] }
    }
    this.listeners = listeners
    this.slots = order.sockets.map(({ slot }) => slot)
  }

  /** From now on this is in force. What runs on the snapshot before finishes as it began. */
  activate(): void {
    for (const update of this.#updates) update()
    this.#install(this.#order, this.#engine)
    for (const [name, upstream] of this.#previous) if (!this.upstreams.has(name)) upstream.close()
  }

  /** Listeners that were in force until now: connections of theirs may still bring a request or two. */
  #retired(order: Serve, previous: Snapshot | null): { config: ListenerConfig; slot: number; rows: number[] }[] {
    const kept = new Set(order.sockets.map(({ slot }) => slot))
    const hasAll = (config: ListenerConfig) =>
      config.routes.every((route) => this.#upstreamNames(route).every((name) => this.upstreams.has(name)))
    return (previous?.slots ?? []).flatMap((slot) => {
      const listener = previous?.listeners[slot]
      if (kept.has(slot) || listener === undefined || !hasAll(listener.config)) return []
      return [{ config: listener.config, slot, rows: listener.routes.map(({ row }) => row) }]
    })
  }

  /** By the number of its plan; of this snapshot or of one of those before. */
  target(plan: number): Target | undefined {
    return this.#plans.target(plan)
  }

  tunnelTarget(plan: number): TunnelTarget | undefined {
    return this.#plans.tunnelTarget(plan)
  }

  /** Rows of listeners by name, and of servers by `upstream/server`: of those in force. */
  rows(): { listeners: Map<string, number>; servers: Record<string, number> } {
    const listeners = new Map(this.slots.map((slot) => [(this.listeners[slot] as RunningListener).config.name, slot]))
    const servers = Object.fromEntries([...this.#bySlot].map(([slot, { server }]) => [server, slot]))
    return { listeners, servers }
  }

  /** `upstream/server` by row; undefined for one that is no more. */
  serverName(slot: number): string | undefined {
    return this.#bySlot.get(slot)?.server
  }

  /** What the primary says of servers and breakers. */
  apply({ removed, servers, breakers }: TableChange): void {
    const touched = new Set<Upstream>()
    for (const record of removed) if (!this.#isListed(record)) this.#engine.removeServer(record.slot)
    for (const record of servers) {
      const place = this.#bySlot.get(record.slot)
      if (place === undefined || place.server !== record.server) continue
      place.upstream.apply(record)
      // A connection that idles in the pool is how a request would still get there.
      this.#engine.setReusable(record.slot, record.admin === 'ready')
      touched.add(place.upstream)
    }
    for (const breaker of breakers) this.#setBreaker(breaker)
    for (const upstream of touched) {
      upstream.orderTables(this.#shop)
      upstream.release()
    }
  }

  /** A server has room again: those who wait are asked in turn. */
  room(): void {
    for (const upstream of this.upstreams.values()) upstream.queue?.release()
  }

  /** Slow starts go on. `now` on the machine's clock, milliseconds. */
  tick(now: number): void {
    for (const upstream of this.upstreams.values()) upstream.picker.tick(now)
  }

  /** A server's name resolves to other addresses now. */
  relocate(server: string, addresses: ResolvedAddress[]): void {
    this.#order.addresses[server] = addresses
    const upstream = this.#order.config.upstreams.find((one) => server.startsWith(`${one.name}/`))
    const config = upstream?.servers.find((one) => `${upstream.name}/${one.name}` === server)
    if (upstream && config) this.#engine.defineServer(this.#order.slots[server] as number, this.#serverOptions(upstream, config))
  }

  #isListed(record: ServerRecord): boolean {
    return this.#bySlot.get(record.slot)?.server === record.server
  }

  #setBreaker({ upstream, pass }: BreakerState): void {
    const place = this.upstreams.get(upstream)
    if (place !== undefined) place.pass = pass
  }

  #retryOf(upstream: string, route: RouteConfig): RetryConfig {
    return { ...(this.#configs.get(upstream) as UpstreamConfig).retry, ...route.retry }
  }

  #compileTunnelRoute(config: RouteConfig, row: number): RunningRoute {
    const split = config.action.kind === 'forward' ? config.action.split : []
    const own = this.#upstreamNames(config).map((name) => {
      const upstream = this.upstreams.get(name) as Upstream
      return { upstream, plan: this.#plans.id(), config, row, retry: this.#retryOf(name, config) }
    })
    this.#tunnelTargets.push(...own)
    const rewrite = compileRewrite(null)
    return {
      config,
      rewrite,
      row,
      action: { kind: 'forward', split: NO_SPLIT, targets: [] },
      tunnel: { split: compileSplit(split), targets: own },
    }
  }

  /** A function of the config may choose any upstream, so such a route gets a plan for each, those of its split first. */
  #upstreamNames(config: RouteConfig): string[] {
    const named = config.action.kind === 'forward' ? config.action.split.map((part) => part.upstream) : []
    return config.onRequest || config.onConnection ? [...new Set([...named, ...this.upstreams.keys()])] : named
  }

  #compileRoute(config: RouteConfig, row: number): RunningRoute {
    const action = config.action
    const rewrite = compileRewrite(config.rewrite)
    const tunnel = NO_TUNNEL
    if (action.kind === 'redirect')
      return { config, rewrite, row, tunnel, action: { kind: 'redirect', redirect: compileRedirect(action.to), status: action.status } }
    if (action.kind === 'answer') {
      const headers = action.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      return {
        config,
        rewrite,
        row,
        tunnel,
        action: { kind: 'answer', status: action.status, headers, contentType: action.contentType, body: action.body },
      }
    }
    const own: Target[] = []
    const route: RunningRoute = {
      config,
      rewrite,
      row,
      tunnel,
      action: { kind: 'forward', split: compileSplit(action.split), targets: own },
    }
    for (const name of this.#upstreamNames(config)) {
      const upstream = this.upstreams.get(name) as Upstream
      const target = { upstream, plan: this.#plans.id(), route, retry: this.#retryOf(name, config) }
      this.#targets.push(target)
      own.push(target)
    }
    return route
  }

  /** Tells the engine. What runs on plans and servers of the snapshot before finishes as it began. */
  #install(order: Serve, engine: Engine): void {
    engine.recordHeaders(capturedHeaders(order.config))
    engine.trace(order.config.tracing?.share ?? -1)
    for (const upstream of order.config.upstreams) {
      for (const server of upstream.servers) {
        engine.defineServer(order.slots[`${upstream.name}/${server.name}`] as number, this.#serverOptions(upstream, server))
      }
    }
    for (const target of this.#targets) engine.definePlan(target.plan, planOptions(target))
    for (const target of this.#tunnelTargets) engine.defineTunnelPlan(target.plan, tunnelPlanOptions(target))
    // Attempts that began before the change go on with the plans of then.
    this.#plans.add(this.#targets, this.#tunnelTargets, engine)
    order.config.listeners.forEach((config, i) => {
      engine.configureListener(this.slots[i] as number, listenerOptions(config, order.config.errorPages))
    })
  }

  #serverOptions(upstream: UpstreamConfig, server: ServerConfig): ServerOptions {
    const name = `${upstream.name}/${server.name}`
    return {
      name,
      hostHeader: server.address.kind === 'tcp' ? hostHeaderOf(server.address, upstream.tls === null ? 80 : 443) : 'localhost',
      addresses: this.#order.addresses[name] ?? [],
      maxConnections: server.maxConnections ?? 0,
      idle: upstream.keepAlive.idle,
      idleTimeoutMs: upstream.keepAlive.idleTimeoutMs,
      queueSlot: this.upstreams.get(upstream.name)?.queueSlot ?? -1,
      failing: upstream.passiveHealth?.statuses ?? (upstream.breaker === null ? [] : GATEWAY_FAILURES),
    }
  }
}

function hostHeaderOf({ host, port }: { host: string; port: number }, usualPort: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === usualPort ? name : `${name}:${port}`
}

function planOptions(target: Target): PlanOptions {
  const { responseHeaderBytes, name, sendProxyProtocol, retry } = target.upstream.config
  const { route } = target
  const { totalMs, ...timeouts } = { ...target.upstream.config.timeouts, ...route.config.timeouts }
  return {
    host: route.config.host,
    strip: route.rewrite.kind === 'static' ? route.rewrite.strip : '',
    add: route.rewrite.kind === 'static' ? route.rewrite.add : '',
    upstream: name,
    request: headerProgram(route.config.headers.request),
    response: headerProgram(route.config.headers.response),
    ...timeouts,
    hedgeMs: target.upstream.config.hedge?.afterMs ?? 0,
    totalMs: totalMs ?? 0,
    replayBytes: retry.replayBytes,
    responseHeadBytes: responseHeaderBytes,
    retryStatuses: target.retry.attempts > 0 ? target.retry.statuses : [],
    tellFinished: false,
    sendProxy: abi.sendProxy[sendProxyProtocol],
  }
}

function tunnelPlanOptions({ upstream, config, row }: TunnelTarget): TunnelPlanOptions {
  const { connectMs, tunnelMs } = { ...upstream.config.timeouts, ...config.timeouts }
  return { connectMs, idleMs: tunnelMs, sendProxy: abi.sendProxy[upstream.config.sendProxyProtocol], route: row }
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
  const { handshakeMs: _, ...timeouts } = config.timeouts
  return {
    ...config.limits,
    ...timeouts,
    // What is behind TLS is the same: see setListenerTls.
    protocol: abi.protocol[config.protocol === 'https' ? 'http' : config.protocol],
    proxyProtocol: config.proxyProtocol,
    connectionsPerIp: config.limits.connectionsPerIp ?? 0,
    forwarded,
    trustedProxies: config.trustedProxies,
    serverTiming: config.serverTiming,
    proxyStatus: config.proxyStatus,
    pages: pagesOf({ ...errorPages, ...config.errorPages }),
    responseDefaults: config.securityHeaders.map(([name, value]) => ({ name, value })),
    clientCertificateHeaders: config.tls?.clientAuth?.headers ?? { subject: '', fingerprint: '' },
  }
}
