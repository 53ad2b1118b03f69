/** Everything the primary knows and finds out about servers: names, checks, passive verdicts, breakers, and what workers are told. */
import { machineMs } from '../shared/base/clock.ts'
import type { Config, ServerConfig, UpstreamConfig } from '../shared/config/model.ts'
import type { ResolvedAddress } from '../shared/ipc/protocol.ts'
import type { HeartbeatMessage, ServersMessage } from '../shared/ipc/server-state.ts'
import type { ServerTls } from '../shared/ipc/tls-material.ts'
import type { Board } from './board.ts'
import { Discovery } from './discovery/discovery.ts'
import { GossipHub } from './gossip.ts'
import { GossipTimers } from './gossip-timers.ts'
import type { AgentOrders } from './health/agent.ts'
import { Breaker } from './health/breaker.ts'
import type { CheckTarget } from './health/check-target.ts'
import { HealthChecker } from './health/checker.ts'
import { PassiveHealth, type ServerCounters } from './health/passive.ts'
import { idOf, type ServerDefinition } from './server-entry.ts'
import { ServerTable } from './server-table.ts'

/** How often the counters of all workers are looked at. */
const OBSERVE_MS = 100

export interface FleetOptions {
  config: Config
  board: Board
  rows: number
  log(line: string): void
  /** How TLS is spoken to a server now, for its checks. */
  tlsOf(server: string): ServerTls | null
  /** Servers came or went: workers need another order. */
  onServers(): void
  onAddresses(server: string, addresses: ResolvedAddress[]): void
}

/** See Fleet.prepare. */
export interface FleetProposal {
  config: Config
  slots: Record<string, number>
  addresses: Record<string, ResolvedAddress[]>
}

interface Watch {
  config: UpstreamConfig
  servers: { id: string; slot: number }[]
  passive: PassiveHealth | null
  breaker: Breaker | null
  isPanicking: boolean
  /** Of the table, when it was last looked at for a panic. */
  seenVersion: number
}

export class Fleet {
  readonly table: ServerTable
  readonly hub: GossipHub
  readonly checker: HealthChecker
  readonly #options: FleetOptions
  readonly #discovery: Discovery
  readonly #timers: GossipTimers
  readonly #watches = new Map<string, Watch>()
  #observer: NodeJS.Timeout | undefined
  /** By server: failures of its traffic at the last look, and when that last brought its check forward. */
  readonly #suspected = new Map<string, { failures: number; hurriedMs: number }>()
  /** By row: see Board.activity. */
  readonly #activity = new Map<number, number>()
  #isRunning = false
  /** Between `prepare` and `commit` or `rollback`. */
  #isChanging = false
  /** Names brought other servers meanwhile. */
  #isBehind = false

  /** Throws an Error when WEIR_DNS_SERVERS is wrong. */
  constructor(options: FleetOptions) {
    this.#options = options
    const { config, board, rows, log } = options
    this.table = new ServerTable({ epoch: Date.now(), rows, log, onChange: () => this.#timers.soon() })
    this.hub = new GossipHub({ table: this.table })
    this.#timers = new GossipTimers({
      hub: this.hub,
      table: this.table,
      inFlight: (slot) => board.inFlight(slot),
      freed: (slots) => board.clearRows(slots),
      now: machineMs,
    })
    this.checker = new HealthChecker({
      now: machineMs,
      events: {
        verdict: (id, { health, reason }) => this.table.setHealth(id, health, machineMs(), reason),
        drain: (id, isDraining) => this.table.setSoftStop(id, isDraining, machineMs(), 'its health check says so'),
        agent: (id, orders) => this.#obey(id, orders),
      },
    })
    this.#discovery = new Discovery({
      config,
      log,
      onServers: () => this.#redefine(),
      onAddresses: (server, addresses) => this.#moved(server, addresses),
    })
  }

  /** Looks names up, begins to check and to watch. Throws an Error when there are more servers than rows. */
  async start(): Promise<void> {
    await this.#discovery.start()
    this.#define()
    this.#isRunning = true
    this.checker.start()
    this.#observer = setInterval(() => this.#observe(), OBSERVE_MS)
  }

  stop(): void {
    this.#isRunning = false
    clearInterval(this.#observer)
    this.checker.stop()
    this.#discovery.stop()
    this.#timers.stop()
  }

  /**
   * What workers would have to know if this config were in force; nothing is in force yet. What names bring meanwhile waits. Throws an
   * Error when there are more servers than rows; then, and when it is not to be, `rollback` has to follow.
   */
  async prepare(config: Config): Promise<FleetProposal> {
    this.#isChanging = true
    await this.#discovery.lookUp(config)
    const proposed = this.#discovery.proposed(config)
    return { ...proposed, slots: this.table.reserve(definitionsOf(proposed.config)) }
  }

  /** The config that was prepared comes into force. */
  commit(config: Config): void {
    this.#discovery.adopt(config)
    // What names brought until now is in it.
    this.#isBehind = false
    this.#define()
    this.table.release()
    this.#settle()
  }

  rollback(): void {
    this.table.release()
    this.#discovery.adopt(this.#discovery.ownConfig)
    this.#settle()
  }

  /** Settles when every worker that serves has applied what the table says now, or after `ms`: then false. */
  async whenApplied(ms: number): Promise<boolean> {
    const { version } = this.table
    const deadline = machineMs() + ms
    while (this.hub.confirmedVersion < version) {
      if (machineMs() > deadline) return false
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return true
  }

  /** The config with discovered servers among the listed ones. */
  config(): Config {
    return this.#discovery.wholeConfig()
  }
  addresses(): Record<string, ResolvedAddress[]> {
    return this.#discovery.addresses()
  }
  slots(): Record<string, number> {
    return this.table.slots()
  }

  join(worker: number, send: (message: ServersMessage) => void): ServersMessage {
    return this.hub.join(worker, send, machineMs())
  }
  leave(worker: number): void {
    this.hub.leave(worker, machineMs())
  }
  heard(worker: number, heartbeat: HeartbeatMessage): void {
    this.hub.heard(worker, heartbeat, machineMs())
  }

  /** Names brought other servers. One too many is left out with a word, not with the end of everything. */
  #redefine(): void {
    if (this.#isChanging) this.#isBehind = true
    if (!this.#isRunning || this.#isChanging) return
    try {
      this.#define()
      this.#options.onServers()
    } catch (error) {
      this.#options.log((error as Error).message)
    }
  }

  #moved(server: string, addresses: ResolvedAddress[]): void {
    if (!this.#isRunning || this.#isChanging) return
    this.checker.update(this.#targets())
    this.#options.onAddresses(server, addresses)
  }

  #settle(): void {
    this.#isChanging = false
    if (!this.#isBehind) return
    this.#isBehind = false
    this.#redefine()
  }

  #define(): void {
    const config = this.config()
    const { upstreams } = config
    this.table.define(definitionsOf(config), machineMs())
    for (const name of this.#watches.keys()) if (!upstreams.some((upstream) => upstream.name === name)) this.#watches.delete(name)
    for (const upstream of upstreams) this.#watch(upstream)
    this.checker.update(this.#targets())
  }

  #watch(config: UpstreamConfig): void {
    const { passiveHealth, breaker } = config
    const known = this.#watches.get(config.name)
    const ids = config.servers.map((server) => idOf({ upstream: config.name, config: server }))
    const watch: Watch = {
      config,
      servers: ids.flatMap((id) => {
        const slot = this.table.get(id)?.record.slot
        return slot === undefined ? [] : [{ id, slot }]
      }),
      passive: this.#passiveOf(passiveHealth, known),
      isPanicking: known?.isPanicking ?? false,
      seenVersion: 0,
      breaker: isSame(breaker, known?.config.breaker) && known ? known.breaker : breaker === null ? null : new Breaker(breaker),
    }
    // One with other rules begins closed, and without one nothing is held back.
    if (known !== undefined && watch.breaker !== known.breaker) this.table.setBreaker(config.name, 1, machineMs(), 'its rules changed')
    watch.passive?.setServers(ids)
    this.#watches.set(config.name, watch)
  }

  #passiveOf(rules: UpstreamConfig['passiveHealth'], known: Watch | undefined): PassiveHealth | null {
    if (rules === null) {
      // Nobody would ever call back who is out.
      for (const { id } of known?.passive === null ? [] : (known?.servers ?? []))
        this.table.setEjected(id, { isEjected: false, isProbing: false }, machineMs(), 'passive health is off')
      return null
    }
    const passive = known?.passive ?? new PassiveHealth(rules, Math.random)
    passive.reconfigure(rules)
    return passive
  }

  #targets(): CheckTarget[] {
    const addresses = this.addresses()
    return this.config().upstreams.flatMap((upstream) => {
      const { health, agent, sendProxyProtocol, tls } = upstream
      if (health === null && agent === null) return []
      return upstream.servers.map((server) => {
        const id = `${upstream.name}/${server.name}`
        return {
          id,
          addresses: addresses[id] ?? [],
          authority: server.address.text,
          health,
          agent,
          sendProxyProtocol,
          tls: tls === null ? null : { definition: tls, now: () => this.#options.tlsOf(id) },
        }
      })
    })
  }

  #obey(id: string, { weightShare, admin, down }: AgentOrders): void {
    const now = machineMs()
    const why = 'its agent says so'
    if (weightShare !== undefined) this.table.setWeightShare(id, weightShare, now, why)
    if (admin !== undefined) this.table.setSoftStop(id, admin !== 'ready', now, why)
    if (down !== undefined) this.table.setHealth(id, down ? 'down' : 'up', now, why)
  }

  #observe(): void {
    const now = machineMs()
    for (const watch of this.#watches.values()) {
      if (watch.passive !== null || watch.breaker !== null || watch.config.health !== null) this.#observeUpstream(watch, now)
    }
  }

  /** Traffic fails: its check need not wait for its turn. */
  #suspect(id: string, failures: number, everyMs: number, now: number): void {
    const known = this.#suspected.get(id)
    this.#suspected.set(id, { failures, hurriedMs: known?.hurriedMs ?? 0 })
    if (known !== undefined && failures > known.failures) this.#hurry(id, everyMs, now)
  }

  #hurry(id: string, everyMs: number, now: number): void {
    const known = this.#suspected.get(id)
    if (known === undefined || now - known.hurriedMs < everyMs) return
    known.hurriedMs = now
    this.checker.hurry(id)
  }

  /** Ejected servers serve while no other is usable: people should know. */
  #notePanic(watch: Watch): void {
    if (watch.seenVersion === this.table.version) return
    watch.seenVersion = this.table.version
    const good = watch.servers.flatMap(({ id }) => {
      const record = this.table.get(id)?.record
      return record !== undefined && record.health === 'up' && record.admin === 'ready' ? [record] : []
    })
    const isPanicking = good.length > 0 && good.every((record) => record.isEjected)
    if (isPanicking === watch.isPanicking) return
    watch.isPanicking = isPanicking
    const what = isPanicking ? 'has no usable server: the ejected ones serve (panic)' : 'has usable servers again: the panic is over'
    this.#options.log(`upstream ${watch.config.name} ${what}`)
  }

  #observeUpstream(watch: Watch, now: number): void {
    const { config, servers, passive, breaker } = watch
    const { board } = this.#options
    const counters: ServerCounters[] = []
    for (const { id, slot } of servers) {
      const activity = board.activity(slot)
      // Most servers of a big fleet did nothing since the last look. A breaker adds all of them up.
      if (breaker === null && this.#activity.get(slot) === activity) continue
      this.#activity.set(slot, activity)
      counters.push(board.outcomes(id, slot))
    }
    const { health } = config
    if (health !== null && servers.length > 0 && board.waiting((servers[0] as { slot: number }).slot) > 0) {
      // Somebody is held until a server is back: those that are down need not wait for their turn either.
      for (const { id } of servers) if (this.table.get(id)?.record.health === 'down') this.#hurry(id, health.fastIntervalMs, now)
    }
    if (health !== null) for (const one of counters) this.#suspect(one.id, one.failures, health.fastIntervalMs, now)
    for (const { id, isEjected, isProbing, reason } of passive?.observe(counters, now) ?? [])
      this.table.setEjected(id, { isEjected, isProbing }, now, reason)
    if (passive !== null) this.#notePanic(watch)
    if (breaker === null) return
    const sum = { exchanges: 0, failures: 0, firstByteUsSum: 0 }
    for (const one of counters) {
      sum.exchanges += one.exchanges
      sum.failures += one.failures
      sum.firstByteUsSum += one.firstByteUsSum
    }
    const change = breaker.observe(sum, now)
    if (change !== null) this.table.setBreaker(config.name, change.pass, now, change.reason)
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function definitionsOf({ upstreams }: Config): ServerDefinition[] {
  return upstreams.flatMap((upstream) => upstream.servers.map((server) => definitionOf(upstream, server)))
}

function definitionOf(upstream: UpstreamConfig, config: ServerConfig): ServerDefinition {
  const { health, agent, name } = upstream
  const initial = health === null || health.initial === 'up' ? 'up' : health.initial === 'hold' ? 'unknown' : 'down'
  return { upstream: name, config, initial, isChecked: health !== null || agent !== null }
}
