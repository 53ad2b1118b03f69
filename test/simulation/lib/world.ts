import type { ServerDefinition } from '../../../src/primary/server-entry.ts'
import type { HeartbeatMessage, ServerRecord, ServersMessage } from '../../../src/shared/ipc/server-state.ts'
import { type Chance, chanceFrom } from '../../soak/chance.ts'
import { SimulatedBoard } from './board.ts'
import { Channel, calm, storm, type Weather } from './channel.ts'
import { VirtualClock } from './clock.ts'
import { chooseDefinitions, names } from './faults.ts'
import { SimulatedPrimary } from './simulated-primary.ts'
import { SimulatedWorker } from './simulated-worker.ts'

/** With calm channels: from a change in the primary to the last request of a worker that does not know it. */
const REACTION_MS = 30

/** What a worker gets: its order, or news. */
interface Letter {
  serve?: ServersMessage
  servers?: ServersMessage
}

/** Ends a run: the message says what was wrong. */
export class Violation extends Error {}

export type Counted = 'requests' | 'unserved' | 'refused' | 'crashes' | 'wholes' | 'messages'

/** A primary, its workers, their servers, and all that may befall them. The same seed tells the same story. */
export class World {
  readonly clock = new VirtualClock()
  readonly chance: Chance
  readonly board: SimulatedBoard
  readonly primary: SimulatedPrimary
  readonly names = names
  readonly workers = new Set<SimulatedWorker>()
  readonly counts: Record<Counted, number> = { requests: 0, unserved: 0, refused: 0, crashes: 0, wholes: 0, messages: 0 }
  readonly events: string[] = []
  definitions: ServerDefinition[] = []
  hasClients = true
  readonly #weather: Weather
  readonly #keepsEvents: boolean
  readonly #servers = new Map<string, 'up' | 'slow' | 'down'>()
  readonly #unchecked: ReadonlySet<string>
  readonly #links = new Map<SimulatedWorker, () => void>()
  #isCalm = false
  #isSettled = false
  #workerIds = 0

  constructor(seed: number, keepsEvents: boolean) {
    this.chance = chanceFrom(seed)
    this.#keepsEvents = keepsEvents
    this.#weather = storm(this.chance)
    this.#unchecked = new Set(['a', 'b'].filter(() => this.chance.happens(0.15)))
    const rows = this.chance.between(9, 14)
    this.board = new SimulatedBoard(rows)
    this.primary = new SimulatedPrimary(this, rows)
    this.redefine(chooseDefinitions(this, 2))
    for (let count = this.chance.between(1, 4); count > 0; count--) this.startWorker()
  }

  get isCalm(): boolean {
    return this.#isCalm
  }

  /** Channels keep what they promise from now on; what is late already stays late. */
  becomeCalm(): void {
    this.#isCalm = true
    this.log('world', 'the channels are calm')
  }

  log(who: string, what: string | (() => string)): void {
    if (!this.#keepsEvents) return
    this.events.push(`${String(this.clock.now - 1_000).padStart(6)} ms  ${who.padEnd(9)} ${typeof what === 'string' ? what : what()}`)
  }

  count(what: Counted): void {
    this.counts[what]++
  }

  fail(what: string): never {
    this.log('VIOLATION', what)
    throw new Violation(`after ${this.clock.now - 1_000} ms: ${what}`)
  }

  isChecked(upstream: string): boolean {
    return !this.#unchecked.has(upstream)
  }

  redefine(definitions: ServerDefinition[]): void {
    if (this.primary.define(definitions)) this.definitions = definitions
  }

  setServer(server: string, state: 'up' | 'slow' | 'down'): void {
    this.log('server', `${server} is ${state}`)
    this.#servers.set(server, state)
  }

  answersCheck(server: string): boolean {
    return this.#servers.get(server) !== 'down'
  }

  latencyMs(server: string): number {
    const state = this.#servers.get(server)
    if (state === 'down') return 0
    return state === 'slow' ? this.chance.between(200, 1_500) : this.chance.between(2, 40)
  }

  startWorker(): void {
    const weather = () => (this.#isCalm ? calm : this.#weather)
    const { primary, clock, chance } = this
    const id = ++this.#workerIds
    const up = new Channel<HeartbeatMessage>(clock, chance, weather, (heartbeat) => primary.hub.heard(id, heartbeat, clock.now))
    const worker = new SimulatedWorker(this, id, (heartbeat) => up.send(heartbeat))
    const down = new Channel<Letter>(clock, chance, weather, ({ serve, servers }) => {
      if (serve !== undefined) worker.serve(serve)
      if (servers !== undefined) worker.hear(servers)
    })
    const serve = primary.hub.join(id, (servers) => this.#send(id, down, servers), clock.now)
    down.sendSurely({ serve })
    this.workers.add(worker)
    this.#links.set(worker, () => [up, down].forEach((channel) => channel.close()))
    this.log('world', `worker ${id} starts`)
  }

  /** One of the workers dies at once, the primary hears of it, and another one is started after a while. */
  crashWorker(): void {
    const worker = [...this.workers][this.chance.between(0, this.workers.size - 1)]
    if (worker === undefined) return
    this.count('crashes')
    this.log('world', `worker ${worker.id} dies`)
    this.workers.delete(worker)
    const open = worker.die()
    this.#links.get(worker)?.()
    this.clock.after(this.chance.between(0, 30), () => {
      this.board.clearColumn(worker.id, open)
      this.primary.hub.leave(worker.id, this.clock.now)
      this.clock.after(this.chance.between(0, 400), () => this.startWorker())
    })
  }

  /** Every request is looked at: may it go there? */
  checkRequest(worker: SimulatedWorker, upstream: string, { server, slot }: ServerRecord): void {
    this.count('requests')
    const to = `worker ${worker.id} sends a request to ${server}`
    const objection = worker.told.objection(server, upstream)
    if (objection !== null) this.fail(`${to}, though ${objection}`)
    if (worker.told.pass(upstream) !== worker.passOf(upstream)) this.fail(`${to}, and has not the breaker that it was told`)
    const stranger = this.board.stranger(slot, server)
    if (stranger !== undefined) this.fail(`${to} on row ${slot}, where ${stranger} has requests in flight`)
    const closedForMs = this.primary.closedForMs(server)
    if (this.#isSettled && closedForMs > REACTION_MS) this.fail(`${to}, which has been closed for ${closedForMs} ms`)
  }

  /** No two workers may think differently of whose a row is. */
  checkRow(worker: SimulatedWorker, { server, slot }: ServerRecord): void {
    for (const other of this.workers) {
      if (other === worker) continue
      for (const known of other.receiver.servers()) {
        if (known.slot !== slot || known.server === server) continue
        this.fail(`row ${slot} is ${server} in worker ${worker.id} and ${known.server} in worker ${other.id}`)
      }
    }
  }

  /** The storm is over for so long that late messages have arrived: changes must reach workers at once from now on. */
  settle(): void {
    this.#isSettled = true
  }

  #send(worker: number, channel: Channel<Letter>, message: ServersMessage): void {
    this.count(message.isWhole ? 'wholes' : 'messages')
    this.log('primary', `${message.isWhole ? 'whole table' : 'changes'} ${message.version} to worker ${worker}`)
    channel.send({ servers: message })
  }
}
