import type { HeartbeatMessage, ServersMessage } from '../../../src/shared/ipc/server-state.ts'
import { GossipReceiver, type TableChange } from '../../../src/worker/gossip-receiver.ts'
import { RealPicker, type SimulatedPicker } from './picker.ts'
import { Told } from './told.ts'
import type { World } from './world.ts'

const HEARTBEAT_MS = 250

/** One worker process, from its Serve order to its death. */
export class SimulatedWorker {
  readonly id: number
  readonly receiver: GossipReceiver
  readonly told = new Told()
  readonly #world: World
  readonly #report: (heartbeat: HeartbeatMessage) => void
  readonly #picker: SimulatedPicker = new RealPicker()
  readonly #open = new Set<{ slot: number; server: string }>()
  #isServing = false
  isAlive = true

  constructor(world: World, id: number, report: (heartbeat: HeartbeatMessage) => void) {
    this.id = id
    this.#world = world
    this.#report = report
    this.receiver = new GossipReceiver((change) => this.#adopt(change))
  }

  /** The Serve order: from now on it has clients. */
  serve(state: ServersMessage): void {
    this.#isServing = true
    this.hear(state)
    this.#beat()
    this.#nextRequest()
  }

  /** A message that comes before the order finds nobody who listens. */
  hear(message: ServersMessage): void {
    if (!this.#isServing) return
    this.told.hear(message)
    this.receiver.apply(message)
    this.#report(this.receiver.heartbeat())
  }

  /** Of the upstream's breaker, as this worker has it. */
  passOf(upstream: string): number {
    return [...this.receiver.breakers()].find((state) => state.upstream === upstream)?.pass ?? 1
  }

  /** Answers what was in flight. */
  die(): Iterable<{ slot: number; server: string }> {
    this.isAlive = false
    return this.#open
  }

  #adopt(change: TableChange): void {
    this.#picker.apply(change)
    this.#world.log(`worker ${this.id}`, () => described(change))
    for (const record of change.servers) this.#world.checkRow(this, record)
  }

  #beat(): void {
    this.#world.clock.after(HEARTBEAT_MS, () => {
      if (!this.isAlive) return
      this.#report(this.receiver.heartbeat())
      this.#beat()
    })
  }

  #nextRequest(): void {
    const { chance, clock } = this.#world
    clock.after(chance.between(5, 60), () => {
      if (!this.isAlive) return
      if (this.#world.hasClients) this.#request()
      this.#nextRequest()
    })
  }

  #request(): void {
    const { board, chance, clock } = this.#world
    const upstream = chance.happens(0.5) ? 'a' : 'b'
    const record = this.#picker.pick(upstream, (slot) => board.inFlight(slot), chance.next())
    if (record === null) {
      this.#world.count('unserved')
      return
    }
    const { slot, server } = record
    this.#world.checkRequest(this, upstream, record)
    const request = { slot, server }
    this.#open.add(request)
    board.add(this.id, slot, server, 1)
    clock.after(this.#world.latencyMs(server), () => {
      if (!this.isAlive) return
      this.#open.delete(request)
      board.add(this.id, slot, server, -1)
    })
  }
}

function described({ removed, servers, breakers }: TableChange): string {
  const parts = [
    ...removed.map(({ server }) => `${server} is gone`),
    ...servers.map((one) => `${one.server} ${one.health} ${one.admin}${one.isEjected ? ' ejected' : ''} (${one.version})`),
    ...breakers.map(({ upstream, pass }) => `breaker of ${upstream} ${pass}`),
  ]
  return `now knows: ${parts.join(', ')}`
}
