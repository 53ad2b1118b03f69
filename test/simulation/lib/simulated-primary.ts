import { GossipHub } from '../../../src/primary/gossip.ts'
import type { ServerDefinition } from '../../../src/primary/server-entry.ts'
import { ServerTable } from '../../../src/primary/server-table.ts'
import { HealthMachine } from '../../../src/shared/health-machine.ts'
import type { World } from './world.ts'

const LOOK_MS = 250
const CHECK_MS = 200

/** The primary process: the real table and hub, checks of simulated servers, and who was last usable when. */
export class SimulatedPrimary {
  readonly table: ServerTable
  readonly hub: GossipHub
  readonly #world: World
  readonly #machines = new Map<string, { address: string; machine: HealthMachine }>()
  /** Since when a server must get no new request, by name. */
  readonly #closedSinceMs = new Map<string, number>()
  #isDue = false

  constructor(world: World, rows: number) {
    this.#world = world
    this.table = new ServerTable({ epoch: 77, rows, log: (line) => world.log('primary', line), onChange: () => this.#soon() })
    this.hub = new GossipHub({ table: this.table })
    this.#look()
  }

  /** False when there are not enough rows; then nothing may have changed. */
  define(definitions: ServerDefinition[]): boolean {
    const before = this.table.version
    try {
      this.table.define(definitions, this.#world.clock.now)
    } catch (error) {
      this.#world.count('refused')
      this.#world.log('primary', (error as Error).message)
      if (this.table.version !== before) this.#world.fail('a definition that was refused changed the table')
      return false
    }
    this.#followChecks()
    return true
  }

  /** How long it has been so that new requests must not go there; -1 while they may. */
  closedForMs(server: string): number {
    const since = this.#closedSinceMs.get(server)
    return since === undefined ? -1 : this.#world.clock.now - since
  }

  #followChecks(): void {
    for (const { server, config } of this.table.servers()) {
      const address = config.address.text
      if (this.#machines.get(server)?.address === address) continue
      const entry = { address, machine: new HealthMachine({ rise: 2, fall: 2 }) }
      this.#machines.set(server, entry)
      this.#world.clock.after(this.#world.chance.between(0, 50), () => this.#check(server, entry))
    }
    for (const server of this.#machines.keys()) if (this.table.get(server) === undefined) this.#machines.delete(server)
  }

  #check(server: string, entry: { address: string; machine: HealthMachine }): void {
    if (this.#machines.get(server) !== entry) return
    const { clock, chance } = this.#world
    const ok = this.#world.answersCheck(server)
    const verdict = entry.machine.take({ ok, reason: ok ? 'status 200' : 'connection refused', latencyMs: 1 })
    if (verdict !== null) this.table.setHealth(server, verdict, clock.now, entry.machine.last?.reason)
    clock.after(CHECK_MS + chance.between(0, 20), () => this.#check(server, entry))
  }

  #soon(): void {
    this.#noteClosed()
    if (this.#isDue) return
    this.#isDue = true
    this.#world.clock.after(0, () => {
      this.#isDue = false
      this.hub.tick(this.#world.clock.now)
    })
  }

  #look(): void {
    const { board, clock } = this.#world
    this.hub.tick(clock.now)
    this.table.settle(this.hub.confirmedVersion, (slot) => board.inFlight(slot))
    clock.after(LOOK_MS, () => this.#look())
  }

  #noteClosed(): void {
    const records = this.table.servers()
    const good = records.filter((one) => one.health === 'up' && one.admin === 'ready')
    const upstreamOf = (server: string) => server.slice(0, server.indexOf('/'))
    const served = new Set(good.filter((one) => !one.isEjected).map(({ server }) => upstreamOf(server)))
    // In a panic the ejected ones serve: there is no better one.
    const open = new Set(good.filter((one) => !one.isEjected || !served.has(upstreamOf(one.server))).map(({ server }) => server))
    for (const server of this.#world.names) {
      if (open.has(server)) this.#closedSinceMs.delete(server)
      else if (!this.#closedSinceMs.has(server)) this.#closedSinceMs.set(server, this.#world.clock.now)
    }
  }
}
