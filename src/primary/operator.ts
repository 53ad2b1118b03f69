import type { TunnelFacts } from '../native/contract.ts'
import { machineMs } from '../shared/base/clock.ts'
import type { Config, ServerConfig } from '../shared/config/model.ts'
import type {
  Override,
  PlanData,
  ReloadData,
  ReloadOutcome,
  SaveData,
  StatusData,
  UpgradeData,
  WorkerStatus,
} from '../shared/control/data.ts'
import { ControlError } from '../shared/control/requests.ts'
import type { ServerState } from '../shared/ipc/server-state.ts'
import type { Board } from './board.ts'
import type { Configuration } from './configuration.ts'
import type { Operation } from './control/operation.ts'
import type { Fleet } from './fleet.ts'
import type { Records } from './log/records.ts'
import type { Overrides } from './overrides.ts'
import type { Reloader } from './reload/reloader.ts'
import type { Statistics } from './statistics/statistics.ts'
import type { Supervisor } from './supervisor.ts'

export interface OperatorOptions {
  configFile: string | null
  fleet: Fleet
  board: Board
  configuration: Configuration
  overrides: Overrides
  supervisor: Supervisor
  reloader: Reloader
  statistics: Statistics
  records: Records
  save(isDryRun: boolean): Promise<SaveData>
  upgrade(): Promise<UpgradeData>
  stop(graceMs: number | undefined): number
  state(): StatusData['state']
  /** Throws ControlError when another process has taken over. */
  mayChange(): void
  log(line: string): void
}

/** How long a command waits until every worker has applied what it said. */
const APPLY_MS = 5_000

/** Carries out what commands say. */
export class Operator implements Operation {
  readonly startedAt = new Date()
  readonly configFile: string | null
  readonly fleet: Fleet
  readonly board: Board
  readonly statistics: Statistics
  readonly records: Records
  readonly #options: OperatorOptions
  /** Servers that a config names, which are looked up for each of them. */
  #listed: { config: Config; ids: Set<string> } | undefined

  constructor(options: OperatorOptions) {
    this.configFile = options.configFile
    this.fleet = options.fleet
    this.board = options.board
    this.statistics = options.statistics
    this.records = options.records
    this.#options = options
  }

  config(): Config {
    return this.#options.configuration.config
  }

  generation(): number {
    return this.#options.configuration.generation
  }

  state(): StatusData['state'] {
    return this.#options.state()
  }

  lastReload(): ReloadOutcome | null {
    return this.#options.reloader.last
  }

  workers(): WorkerStatus[] {
    return this.#options.supervisor.status()
  }

  listeners(): { name: string; protocol: string; addresses: string[]; slot: number }[] {
    const { configuration } = this.#options
    const protocols = new Map(configuration.config.listeners.map(({ name, protocol }) => [name, protocol]))
    return configuration.listeners.map(({ name, addresses, slot }) => ({ name, protocol: protocols.get(name) ?? '', addresses, slot }))
  }

  overrides(): Override[] {
    const { overrides, configuration } = this.#options
    return overrides.list(configuration.source.config)
  }

  sourceOf(server: string): 'config' | 'discovered' | 'added' {
    const { overrides, configuration } = this.#options
    if (overrides.isAdded(server)) return 'added'
    const { config } = configuration.source
    if (this.#listed?.config !== config) this.#listed = { config, ids: new Set(idsOf(config)) }
    return this.#listed.ids.has(server) ? 'config' : 'discovered'
  }

  async setAdmin(server: string, admin: ServerState['admin'], isStrict: boolean): Promise<void> {
    const { overrides, fleet, mayChange } = this.#options
    mayChange()
    overrides.setAdmin(server, admin, isStrict)
    fleet.table.setAdmin(server, admin, machineMs(), 'by command', isStrict)
    await this.#applied()
  }

  async setWeightShare(server: string, share: number): Promise<void> {
    const { overrides, fleet, configuration, mayChange } = this.#options
    mayChange()
    const upstream = configuration.source.config.upstreams.find(({ name }) => server.startsWith(`${name}/`))
    const listed = upstream?.servers.find(({ name }) => `${upstream.name}/${name}` === server)
    overrides.setWeight(server, share, listed?.weight ?? null)
    fleet.table.setWeightShare(server, share, machineMs(), 'by command')
    await this.#applied()
  }

  addServer(upstream: string, server: ServerConfig): Promise<void> {
    return this.#change((overrides) => overrides.add(upstream, server))
  }

  removeServer(server: string): Promise<void> {
    return this.#change((overrides) => overrides.remove(server))
  }

  async tunnels(slot: number, most: number): Promise<{ worker: number; tunnel: TunnelFacts }[]> {
    const answers = await this.#options.supervisor.ask<TunnelFacts[]>({ what: 'tunnels', slot, most })
    return answers.flatMap(({ worker, answer }) => answer.map((tunnel) => ({ worker, tunnel }))).slice(0, most)
  }

  async cut(slot: number): Promise<number> {
    const answers = await this.#options.supervisor.ask<number>({ what: 'cut', slot })
    return answers.reduce((sum, { answer }) => sum + answer, 0)
  }

  plan(): Promise<PlanData> {
    return this.#options.reloader.plan()
  }

  reload(isDryRun: boolean): Promise<ReloadData> {
    return this.#options.reloader.reload(isDryRun)
  }

  save(isDryRun: boolean): Promise<SaveData> {
    return this.#options.configuration.inTurn(() => this.#options.save(isDryRun))
  }

  async upgrade(isDryRun: boolean): Promise<UpgradeData> {
    return isDryRun ? { pid: 0, tookMs: 0 } : this.#options.configuration.inTurn(() => this.#options.upgrade())
  }

  stop(graceMs: number | undefined): number {
    return this.#options.stop(graceMs)
  }

  log(line: string): void {
    this.#options.log(line)
  }

  /** The config stays what it is; what is made of it changes, in all workers or in none. */
  #change(say: (overrides: Overrides) => void): Promise<void> {
    const { configuration, overrides } = this.#options
    return configuration.inTurn(async () => {
      const before = overrides.state()
      say(overrides)
      try {
        await configuration.replace(configuration.source)
      } catch (error) {
        overrides.reset(before)
        throw new ControlError('failed', `nothing was changed: ${error instanceof Error ? error.message : String(error)}`)
      }
      await this.#applied()
    })
  }

  async #applied(): Promise<void> {
    this.#options.configuration.raise()
    if (await this.fleet.whenApplied(APPLY_MS)) return
    throw new ControlError('late', 'it is said, but not every worker has confirmed it yet: see weir workers')
  }
}

function idsOf({ upstreams }: Config): string[] {
  return upstreams.flatMap((upstream) => upstream.servers.map(({ name }) => `${upstream.name}/${name}`))
}
