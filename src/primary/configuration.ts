import { withoutFunctions } from '../shared/config/functions.ts'
import type { Config } from '../shared/config/model.ts'
import { type Serve, VERSION } from '../shared/ipc/protocol.ts'
import type { Fleet, FleetProposal } from './fleet.ts'
import type { Listeners, OpenListener } from './listening-sockets.ts'
import type { AccessLog } from './log/access-log.ts'
import type { Overrides } from './overrides.ts'
import type { RouteRow, RouteRows } from './route-rows.ts'
import type { OrderWithoutState, Supervisor } from './supervisor.ts'
import type { TlsKeeper, TlsProposal } from './tls/tls-keeper.ts'

/** A config with what workers need to run its functions. */
export interface Source {
  /** As it was loaded: without what was discovered or said by commands. */
  config: Config
  /** A TypeScript config as it was then; null when there are no functions. */
  module: Serve['module']
}

export interface ConfigurationOptions {
  source: Source
  columns: number
  fleet: Fleet
  listeners: Listeners
  overrides: Overrides
  accessLog: Pick<AccessLog, 'prepare' | 'commit' | 'rollback'>
  routes: RouteRows
  tls: Pick<TlsKeeper, 'prepare' | 'commit' | 'rollback' | 'material' | 'revision'>
  supervisor(): Supervisor
  /** Throws when it may not be changed any more. */
  mayChange(): void
}

/** The config in force: which order every worker gets, and how another one takes its place, everywhere or nowhere. */
export class Configuration {
  readonly #options: ConfigurationOptions
  #source: Source
  #generation = 1
  #served: FleetProposal
  #opened: OpenListener[]
  /** Changes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** `opened` is committed already. */
  constructor(options: ConfigurationOptions, opened: OpenListener[]) {
    this.#options = options
    this.#source = options.source
    this.#opened = opened
    this.#served = this.#now()
  }

  get source(): Source {
    return this.#source
  }

  get generation(): number {
    return this.#generation
  }

  /** In force, with the servers that were discovered and added. */
  get config(): Config {
    return this.#served.config
  }

  get listeners(): readonly OpenListener[] {
    return this.#opened
  }

  /** Rows of the board that routes have. */
  routeRows(): RouteRow[] {
    return this.#options.routes.all
  }

  /** Something else changed than the config. */
  raise(): number {
    return ++this.#generation
  }

  order(column: number): OrderWithoutState {
    // Where servers are may have changed since.
    const addresses = { ...this.#served.addresses, ...this.#options.fleet.addresses() }
    return this.#orderOf(column, this.#source, { ...this.#served, addresses }, this.#opened)
  }

  /** All servers are known: what workers get at their start. */
  serveNow(): void {
    this.#served = this.#now()
  }

  /** Names brought other servers: every worker gets an order anew. */
  refresh(): void {
    this.#served = this.#now()
    this.#generation++
    this.#options.supervisor().reorder()
  }

  /** One after the other with everything else that changes what is in force. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      this.#options.mayChange()
      return work()
    })
    this.#turn = done.catch(() => {})
    return done
  }

  /** Brings this into force in every worker, or in none: then it rejects with the reason, and all goes on as before. */
  async replace(source: Source): Promise<void> {
    const { fleet, listeners, overrides, supervisor, accessLog, tls } = this.#options
    const opened = listeners.prepare(source.config.listeners)
    const generation = this.#generation + 1
    const effective = overrides.applied(source.config)
    const { revision } = tls
    let served: FleetProposal
    let material: TlsProposal | undefined
    try {
      accessLog.prepare(source.config)
      material = await tls.prepare(effective)
      served = await fleet.prepare(effective)
      await supervisor().prepare((column) => ({ ...this.#orderOf(column, source, served, opened, material), generation }))
    } catch (error) {
      if (material !== undefined) tls.rollback(material)
      listeners.rollback()
      fleet.rollback()
      accessLog.rollback()
      throw error
    }
    this.#source = source
    this.#generation = generation
    this.#served = served
    this.#opened = opened
    tls.commit(material)
    // Workers hear of the config before they hear which servers are gone.
    const committed = supervisor().commit(generation)
    fleet.commit(effective)
    this.#served = this.#now()
    this.#options.routes.settle(this.#served.config.listeners)
    this.#tellMoved(served)
    // What changed between the two halves is not in the order that workers prepared.
    if (tls.revision !== revision) supervisor().tell({ type: 'tls', material: tls.material(this.config) })
    accessLog.commit()
    await committed
    listeners.commit(opened, source.config.listeners)
  }

  /** Addresses that changed between the two halves of the change. */
  #tellMoved(prepared: FleetProposal): void {
    for (const [server, addresses] of Object.entries(this.#served.addresses)) {
      if (JSON.stringify(prepared.addresses[server]) !== JSON.stringify(addresses))
        this.#options.supervisor().tell({ type: 'addresses', server, addresses })
    }
  }

  #now(): FleetProposal {
    const { fleet } = this.#options
    return { config: fleet.config(), slots: fleet.slots(), addresses: fleet.addresses() }
  }

  #orderOf(
    column: number,
    { module }: Source,
    { config, slots, addresses }: FleetProposal,
    opened: OpenListener[],
    material?: TlsProposal,
  ): OrderWithoutState {
    return {
      type: 'serve',
      version: VERSION,
      generation: this.#generation,
      config: withoutFunctions(config),
      module,
      slots,
      addresses,
      tls: this.#options.tls.material(config, material),
      sockets: opened.map(({ slot, keys, ports, port }) => ({ slot, keys, ports, port })),
      routes: this.#options.routes.take(config.listeners, opened),
      column,
      columns: this.#options.columns,
    }
  }
}
