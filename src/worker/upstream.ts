/** One upstream in one worker: its picker, who waits for it, and what the primary says of it. */
import type { Candidate } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import { inFlightIndex, serverIndex, waitingIndex, workerIndex } from '../shared/board/layout.ts'
import type { UpstreamConfig } from '../shared/config/model.ts'
import type { ServerRecord } from '../shared/ipc/server-state.ts'
import { UpstreamPicker } from './pick/upstream-picker.ts'
import { Sticky } from './sticky.ts'
import { OFFLOAD_ABOVE, type TableShop } from './tables.ts'
import { WaitingRoom } from './waiting-room.ts'

/** How often one of those who wait for a server is sent to see whether one accepts again. */
const LOOK_MS = 200
/** Retries at once that are always allowed. */
const LEAST_RETRIES = 3
/** Adding up so few servers costs less than being late by one. */
const COUNTED_EACH_TIME = 64
/** Failed attempts that wait for the budget at once, over all workers. */
const MOST_IN_TURN = 1024

export interface UpstreamPlace {
  config: UpstreamConfig
  /** In the order of `config.servers`. */
  slots: readonly number[]
  column: number
  columns: number
  zone: string | null
  counters: Float64Array
  totals: Int32Array
}

/** Lives on through changes of the config, so that those who wait, and what is on its way, see the servers of now. */
export class Upstream {
  config: UpstreamConfig
  picker: UpstreamPicker
  slots: readonly number[]
  sticky: Sticky | null
  /** Row that counts who waits for this upstream; -1 without servers. */
  queueSlot: number
  queue: WaitingRoom | null
  hold: WaitingRoom | null
  /** Who waits until the budget of retries has room. Each knows its own time. */
  readonly turns: WaitingRoom
  /** Share of requests that the circuit breaker lets through. */
  pass = 1
  /** Exchanges of this worker that are on a further attempt. */
  retries = 0
  #isTurnDue = false
  #place: UpstreamPlace
  #waiting = 0
  #loadAtMs = -1
  #load = 0

  constructor(place: UpstreamPlace) {
    this.#place = place
    this.config = place.config
    this.slots = place.slots
    this.queueSlot = place.slots[0] ?? -1
    this.picker = pickerOf(place)
    this.sticky = stickyOf(place)
    this.turns = this.#room({ max: MOST_IN_TURN, timeoutMs: 0 }, null)
    this.queue = place.config.queue === null ? null : this.#room(place.config.queue, null)
    this.hold = place.config.hold === null ? null : this.#room(place.config.hold, LOOK_MS)
  }

  /** Another config, or other servers. Who waits goes on waiting, by the rules under which it began. */
  update(place: UpstreamPlace): void {
    const { config, slots } = place
    const waiting = this.#waiting
    this.#count(-waiting)
    this.#place = place
    this.config = config
    this.slots = slots
    this.queueSlot = slots[0] ?? -1
    this.#count(waiting)
    const picker = pickerOf(place)
    picker.adopt(this.picker)
    this.picker = picker
    this.sticky = stickyOf(place)
    if (config.queue === null) this.queue?.clear()
    this.queue = config.queue === null ? null : (this.queue ?? this.#room(config.queue, null))
    if (config.hold === null) this.hold?.clear()
    this.hold = config.hold === null ? null : (this.hold ?? this.#room(config.hold, LOOK_MS))
  }

  /** The upstream is no more. */
  close(): void {
    this.queue?.clear()
    this.hold?.clear()
    this.turns.clear()
  }

  /** Somebody was held for so long. */
  noteHold(ms: number): void {
    const { counters, column } = this.#place
    const at = serverIndex(column, this.queueSlot, abi.serverCounter.longestHoldMs)
    if (this.queueSlot >= 0 && ms > (counters[at] as number)) counters[at] = ms
  }

  /** Its servers as a `pick` function of the config sees them. */
  candidates(): Candidate[] {
    return this.config.servers.map((server, i) => ({
      name: server.name,
      address: server.address.text,
      weight: server.weight,
      inFlight: this.#place.totals[inFlightIndex(this.slots[i] as number)] as number,
    }))
  }

  /** News of one of its servers. */
  apply(record: ServerRecord): void {
    this.picker.apply(record)
  }

  /** Orders hash tables that are out of date, where they are too big to be built in passing. */
  orderTables(shop: TableShop): void {
    if (this.config.hash !== null && this.slots.length > OFFLOAD_ABOVE) shop.supply(this.config.name, this.picker)
  }

  /** Those who wait may find a server now. */
  release(): void {
    this.#loadAtMs = -1
    this.hold?.release()
    this.queue?.release()
  }

  /**
   * Exchanges and tunnels of all its servers over all workers. Of a big upstream looked up once per millisecond; what goes there
   * meanwhile is added by `forwarded`.
   */
  load(nowMs: number): number {
    if (nowMs === this.#loadAtMs && this.slots.length > COUNTED_EACH_TIME) return this.#load
    let sum = 0
    for (let i = 0; i < this.slots.length; i++) sum += this.#place.totals[inFlightIndex(this.slots[i] as number)] as number
    this.#loadAtMs = nowMs
    this.#load = sum
    return sum
  }

  forwarded(): void {
    this.#load++
  }

  /** A further attempt may begin: the budget is a share of what this worker has in flight, but never below a few. */
  mayRetry(nowMs: number): boolean {
    const share = (this.config.retry.budget * this.load(nowMs)) / this.#place.columns
    return this.retries < Math.max(LEAST_RETRIES, share)
  }

  /** A retry is over. The next one begins later: this may be called in the middle of a decision. */
  endRetry(): void {
    this.retries--
    if (this.#isTurnDue || this.turns.size === 0) return
    this.#isTurnDue = true
    setImmediate(() => {
      this.#isTurnDue = false
      this.turns.release()
    })
  }

  #room({ max, timeoutMs }: { max: number; timeoutMs: number }, lookEveryMs: number | null): WaitingRoom {
    const { columns } = this.#place
    return new WaitingRoom({
      // The limit is of all workers, and each has its share of the connections.
      max: Math.max(1, Math.ceil(max / columns)),
      timeoutMs,
      now: () => performance.now(),
      counted: (change) => this.#count(change),
      lookEveryMs,
    })
  }

  /** On the board, where the engines of all workers see that somebody waits for room. */
  #count(change: number): void {
    this.#waiting += change
    if (this.queueSlot < 0) return
    const { column, counters, totals } = this.#place
    Atomics.add(totals, waitingIndex(this.queueSlot), change)
    const cell = serverIndex(column, this.queueSlot, abi.serverCounter.waiting)
    const own = workerIndex(column, abi.workerCounter.waiting)
    counters[cell] = (counters[cell] as number) + change
    counters[own] = (counters[own] as number) + change
  }
}

function pickerOf({ config, slots, column, zone }: UpstreamPlace): UpstreamPicker {
  const uses = new Map<string, number>()
  for (const { address } of config.servers) uses.set(address.text, (uses.get(address.text) ?? 0) + 1)
  return new UpstreamPicker({
    balance: config.balance,
    hash: config.hash,
    servers: config.servers.map((server, i) => ({
      slot: slots[i] as number,
      // Other ketama clients place `host:port`; servers that share one are told apart by name.
      id: uses.get(server.address.text) === 1 ? server.address.text : server.name,
      weight: server.weight,
      maxConnections: server.maxConnections,
      tier: server.tier,
      zone: server.zone,
    })),
    start: column,
    zone,
    slowStart: config.slowStart,
    initial: config.health?.initial ?? 'up',
    offloadAbove: OFFLOAD_ABOVE,
  })
}

function stickyOf({ config, slots }: UpstreamPlace): Sticky | null {
  if (config.sticky === null) return null
  const servers = config.servers.map((server, i) => ({ slot: slots[i] as number, id: `${config.name}/${server.name}` }))
  return new Sticky(config.sticky, servers)
}
