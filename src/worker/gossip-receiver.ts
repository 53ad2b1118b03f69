import {
  type BreakerState,
  digestOfBreaker,
  digestOfServer,
  type HeartbeatMessage,
  type ServerRecord,
  type ServersMessage,
} from '../shared/ipc/server-state.ts'

/** What a message changed, to be applied in this order: a removed server's row may have another occupant already. */
export interface TableChange {
  removed: ServerRecord[]
  servers: ServerRecord[]
  /** `pass` 1: closed. */
  breakers: BreakerState[]
}

/**
 * The worker's copy of the primary's table. Messages may be lost, repeated or late: what comes of them depends only on which
 * arrived, not on how often or in which order.
 */
export class GossipReceiver {
  readonly #changed: (change: TableChange) => void
  /** By row. */
  readonly #servers = new Map<number, ServerRecord>()
  readonly #breakers = new Map<string, BreakerState>()
  /** When what is no more went away: an older word about it comes too late. */
  readonly #removedAt = new Map<number, number>()
  readonly #closedAt = new Map<string, number>()
  /** Version of the newest whole table: all up to there is known, so what is that old and not known is no more. */
  #floor = 0
  #epoch = 0
  readonly #pastEpochs = new Set<number>([0])
  #version = 0
  #digest = 0

  /** `changed` is called after each message that changed something, when all of it is applied. */
  constructor(changed: (change: TableChange) => void) {
    this.#changed = changed
  }

  servers(): Iterable<ServerRecord> {
    return this.#servers.values()
  }

  /** Open ones. */
  breakers(): Iterable<BreakerState> {
    return this.#breakers.values()
  }

  heartbeat(): HeartbeatMessage {
    return { type: 'heartbeat', epoch: this.#epoch, version: this.#version, digest: this.#digest }
  }

  apply(message: ServersMessage): void {
    if (message.epoch !== this.#epoch && this.#pastEpochs.has(message.epoch)) return
    const change: TableChange = { removed: [], servers: [], breakers: [] }
    if (message.epoch !== this.#epoch) this.#begin(message.epoch, change)
    if (message.isWhole && message.version < this.#floor) return
    for (const { slot, version } of message.removed) if (this.#isNews(slot, version)) this.#remove(slot, version, change)
    for (const record of message.servers) if (this.#isNews(record.slot, record.version)) this.#put(record, change)
    for (const state of message.breakers) if (this.#isBreakerNews(state)) this.#putBreaker(state, change)
    if (message.isWhole) this.#dropUnlisted(message, change)
    this.#version = Math.max(this.#version, message.version)
    if (change.removed.length + change.servers.length + change.breakers.length > 0) this.#changed(change)
  }

  #isNews(slot: number, version: number): boolean {
    return version > this.#floor && version > (this.#servers.get(slot)?.version ?? this.#removedAt.get(slot) ?? 0)
  }

  #isBreakerNews({ upstream, version }: BreakerState): boolean {
    return version > this.#floor && version > (this.#breakers.get(upstream)?.version ?? this.#closedAt.get(upstream) ?? 0)
  }

  #put(record: ServerRecord, change: TableChange): void {
    const before = this.#servers.get(record.slot)
    if (before !== undefined) {
      this.#digest ^= digestOfServer(before)
      if (before.server !== record.server) change.removed.push(before)
    }
    this.#removedAt.delete(record.slot)
    this.#servers.set(record.slot, record)
    this.#digest = (this.#digest ^ digestOfServer(record)) >>> 0
    change.servers.push(record)
  }

  #remove(slot: number, version: number, change: TableChange): void {
    this.#removedAt.set(slot, version)
    const before = this.#servers.get(slot)
    if (before === undefined) return
    this.#servers.delete(slot)
    this.#digest = (this.#digest ^ digestOfServer(before)) >>> 0
    change.removed.push(before)
  }

  #putBreaker(state: BreakerState, change: TableChange): void {
    this.#close(state.upstream)
    if (state.pass === 1) this.#closedAt.set(state.upstream, state.version)
    else {
      this.#closedAt.delete(state.upstream)
      this.#breakers.set(state.upstream, state)
      this.#digest = (this.#digest ^ digestOfBreaker(state)) >>> 0
    }
    change.breakers.push(state)
  }

  #close(upstream: string): void {
    const before = this.#breakers.get(upstream)
    if (before === undefined) return
    this.#breakers.delete(upstream)
    this.#digest = (this.#digest ^ digestOfBreaker(before)) >>> 0
  }

  /** A whole table says by silence what is no more; what is newer than it, it cannot know. */
  #dropUnlisted({ servers, breakers, version }: ServersMessage, change: TableChange): void {
    const slots = new Set(servers.map((record) => record.slot))
    for (const record of this.#servers.values()) {
      if (!slots.has(record.slot) && record.version <= version) this.#remove(record.slot, version, change)
    }
    const open = new Set(breakers.map((state) => state.upstream))
    for (const state of this.#breakers.values()) {
      if (!open.has(state.upstream) && state.version <= version) this.#putBreaker({ ...state, version, pass: 1 }, change)
    }
    this.#floor = version
    for (const [slot, at] of this.#removedAt) if (at <= version) this.#removedAt.delete(slot)
    for (const [upstream, at] of this.#closedAt) if (at <= version) this.#closedAt.delete(upstream)
  }

  /** Another primary: what the one before said counts no more, and what is still under way from it neither. */
  #begin(epoch: number, change: TableChange): void {
    change.removed.push(...this.#servers.values())
    for (const state of this.#breakers.values()) change.breakers.push({ ...state, pass: 1 })
    for (const memory of [this.#servers, this.#breakers, this.#removedAt, this.#closedAt]) memory.clear()
    this.#pastEpochs.add(this.#epoch)
    this.#epoch = epoch
    this.#floor = 0
    this.#version = 0
    this.#digest = 0
  }
}
