import { digestOfServer, isUsable, type ServerRecord, type ServerState, type ServersMessage } from '../shared/ipc/server-state.ts'
import { BreakerRecords } from './breaker-records.ts'
import { adminOf, changed, idOf, mustRest, newEntry, redefinition, type ServerDefinition, type ServerEntry } from './server-entry.ts'
import { newsLine } from './server-news.ts'
import { ServerSlots } from './server-slots.ts'
import { TableHistory } from './table-history.ts'

export interface ServerTableOptions {
  /** See ServersMessage. */
  epoch: number
  /** Rows of the board. */
  rows: number
  log(line: string): void
  /** The table has a new version. */
  onChange(): void
}

/**
 * The truth about servers and breakers, by stable identity. Pure but for its two hooks: no timers, and the time is an argument.
 * Methods answer whether something changed; each change of a record gives the table a new version. Unknown servers are ignored:
 * a verdict may come late.
 */
export class ServerTable {
  readonly epoch: number
  readonly #options: ServerTableOptions
  readonly #slots: ServerSlots
  readonly #entries = new Map<string, ServerEntry>()
  /** Usable servers by upstream; every upstream has an entry. */
  readonly #usable = new Map<string, number>()
  readonly #breakers = new BreakerRecords()
  readonly #history = new TableHistory()
  /** They have a row already. */
  readonly #reserved = new Set<string>()
  #version = 0
  #digest = 0

  constructor(options: ServerTableOptions) {
    this.epoch = options.epoch
    this.#options = options
    this.#slots = new ServerSlots(options.rows)
  }

  get version(): number {
    return this.#version
  }

  /** Of all records and open breakers now. */
  digest(): number {
    return this.#digest
  }

  /** undefined: so long ago that it is forgotten, or not yet. */
  digestAt(version: number): number | undefined {
    return version === 0 ? 0 : this.#history.digestAt(version)
  }

  changedAtMs(version: number): number | undefined {
    return this.#history.changedAtMs(version)
  }

  get(server: string): Readonly<ServerEntry> | undefined {
    return this.#entries.get(server)
  }

  /** Row of the board of a server that was removed, while something is in flight on it or a worker does not know yet. */
  leaving(server: string): number | undefined {
    for (const removal of this.#slots.kept) if (removal.server === server) return removal.slot
    return undefined
  }

  /** Share of requests that the breaker of an upstream lets through: 1 closed, 0 open. */
  breakerPass(upstream: string): number {
    return this.#breakers.passOf(upstream)
  }

  servers(): ServerRecord[] {
    return [...this.#entries.values()].map((entry) => entry.record)
  }

  /** Rows of the board by `upstream/server`. */
  slots(): Record<string, number> {
    return Object.fromEntries([...this.#entries.values()].map(({ record }) => [record.server, record.slot]))
  }

  /**
   * These servers, and no others. What is known of a server that stays is kept; one that is at another address now is looked at
   * anew. Throws an Error, and changes nothing, when there are not enough rows.
   */
  define(definitions: readonly ServerDefinition[], nowMs: number): boolean {
    const wanted = new Map(definitions.map((definition) => [idOf(definition), definition]))
    this.#slots.checkRoom([...wanted.keys()])
    const before = this.#version
    const isFirst = before === 0
    for (const entry of this.#entries.values()) if (!wanted.has(entry.record.server)) this.#remove(entry, nowMs)
    const hadUsable = new Map(this.#usable)
    for (const [server, definition] of wanted) {
      const entry = this.#entries.get(server)
      if (entry === undefined) this.#add(definition, (hadUsable.get(definition.upstream) ?? 0) > 0, nowMs, isFirst)
      else this.#redefine(entry, definition, nowMs)
    }
    const upstreams = new Set(definitions.map(({ upstream }) => upstream))
    for (const upstream of this.#usable.keys()) if (!upstreams.has(upstream)) this.#forgetUpstream(upstream, nowMs)
    return this.#version !== before
  }

  /** A verdict of active checks, with what the check saw. A server without checks is up whatever is said. */
  setHealth(server: string, health: 'up' | 'down', nowMs: number, why = ''): boolean {
    const entry = this.#entries.get(server)
    return entry?.isChecked === true && this.#change(entry, { health }, nowMs, why)
  }

  /** The operator's word. `isStrict`: sticky users are moved, too. */
  setAdmin(server: string, admin: ServerState['admin'], nowMs: number, why = '', isStrict = false): boolean {
    const entry = this.#entries.get(server)
    if (entry === undefined) return false
    entry.admin = admin
    entry.why.admin = why
    return this.#change(entry, { admin: adminOf(entry), isStrict: isStrict && admin !== 'ready' }, nowMs, why)
  }

  /** The server asks to be drained, or no longer does. The operator's word stays what it is. */
  setSoftStop(server: string, isSoftStopped: boolean, nowMs: number, why = ''): boolean {
    const entry = this.#entries.get(server)
    if (entry === undefined) return false
    entry.isSoftStopped = isSoftStopped
    entry.why.softStop = why
    return this.#change(entry, { admin: adminOf(entry) }, nowMs, why)
  }

  /** `share` of the configured weight: 0 takes no traffic, 1 is as configured. */
  setWeightShare(server: string, share: number, nowMs: number, why = ''): boolean {
    const entry = this.#entries.get(server)
    return entry !== undefined && this.#change(entry, { weightShare: share }, nowMs, why)
  }

  setEjected(server: string, state: { isEjected: boolean; isProbing: boolean }, nowMs: number, why = ''): boolean {
    const entry = this.#entries.get(server)
    return entry !== undefined && this.#change(entry, { isEjected: state.isEjected, isProbing: state.isProbing }, nowMs, why)
  }

  /** `pass`: see BreakerState. */
  setBreaker(upstream: string, pass: number, nowMs: number, why = ''): boolean {
    if (!this.#usable.has(upstream)) return false
    const before = this.#breakers.passOf(upstream)
    if (pass === before) return false
    this.#setBreaker(upstream, pass, nowMs)
    const state = pass === 0 ? 'open' : pass === 1 ? 'closed' : before === 0 ? 'closing' : null
    if (state !== null) this.#options.log(`the breaker of ${upstream} is ${state}${why === '' ? '' : `: ${why}`}`)
    return true
  }

  whole(): ServersMessage {
    const { epoch, version } = this
    return { type: 'servers', epoch, version, isWhole: true, servers: this.servers(), removed: [], breakers: this.#breakers.open() }
  }

  /** What a worker needs that has all up to `version`. */
  changesSince(version: number): ServersMessage {
    return {
      type: 'servers',
      epoch: this.epoch,
      version: this.version,
      isWhole: false,
      servers: this.servers().filter((record) => record.version > version),
      removed: [...this.#slots.kept].filter((removal) => removal.version > version),
      breakers: this.#breakers.since(version),
    }
  }

  /** Every worker knows what was said up to this version. Answers rows that are free for others now: their counters begin anew. */
  settle(confirmedVersion: number, inFlight: (slot: number) => number): number[] {
    this.#breakers.settle(confirmedVersion)
    return this.#slots.settle(confirmedVersion, inFlight)
  }

  /** Rows for servers that the next `define` will name: nothing else changes, and `release` takes it back. Throws as `define` does. */
  reserve(definitions: readonly ServerDefinition[]): Record<string, number> {
    const ids = definitions.map(idOf)
    const fresh = ids.filter((id) => !this.#entries.has(id))
    this.#slots.checkRoom([...this.#entries.keys(), ...fresh])
    for (const id of fresh) this.#reserved.add(id)
    return Object.fromEntries(ids.map((id) => [id, this.#slots.get(id) ?? this.#slots.take(id)]))
  }

  release(): void {
    for (const id of this.#reserved) if (!this.#entries.has(id)) this.#slots.release(id, this.#version)
    this.#reserved.clear()
  }

  #add(definition: ServerDefinition, mustWarm: boolean, nowMs: number, isSilent: boolean): void {
    const id = idOf(definition)
    const slot = this.#reserved.delete(id) ? this.#slots.get(id) : undefined
    const entry = newEntry(definition, slot ?? this.#slots.take(id), mustWarm, nowMs)
    const { record, upstream } = entry
    if (mustWarm && isUsable(record)) Object.assign(entry, { mustWarm: false, record: { ...record, warmSinceMs: Math.max(nowMs, 1) } })
    this.#entries.set(record.server, entry)
    this.#count(upstream, isUsable(record) ? 1 : 0)
    this.#put(entry, entry.record, 0, nowMs)
    if (!isSilent) this.#options.log(`${record.server} is new: ${definition.config.address.text}`)
  }

  #redefine(entry: ServerEntry, definition: ServerDefinition, nowMs: number): void {
    entry.isChecked = definition.isChecked
    const isElsewhere = entry.record.config.address.text !== definition.config.address.text
    this.#change(entry, redefinition(entry, definition), nowMs, isElsewhere ? `it is at ${definition.config.address.text} now` : '')
  }

  #remove(entry: ServerEntry, nowMs: number): void {
    const { server } = entry.record
    this.#entries.delete(server)
    this.#count(entry.upstream, isUsable(entry.record) ? -1 : 0)
    this.#raise(digestOfServer(entry.record), nowMs)
    this.#slots.release(server, this.#version)
    this.#options.log(`${server} is removed`)
  }

  #forgetUpstream(upstream: string, nowMs: number): void {
    if (this.#breakers.passOf(upstream) !== 1) this.#setBreaker(upstream, 1, nowMs)
    this.#usable.delete(upstream)
  }

  #setBreaker(upstream: string, pass: number, nowMs: number): void {
    const digest = this.#breakers.set({ upstream, pass, version: this.#version + 1 })
    this.#raise(digest, nowMs)
  }

  #change(entry: ServerEntry, patch: Partial<ServerRecord>, nowMs: number, why: string): boolean {
    const before = entry.record
    const wasUsable = isUsable(before) ? 1 : 0
    const after = changed(entry, patch, (this.#usable.get(entry.upstream) ?? 0) > wasUsable, nowMs)
    const keys = Object.keys(after) as (keyof ServerRecord)[]
    if (keys.every((key) => after[key] === before[key])) return false
    const lastedMs = { health: nowMs - entry.sinceMs.health, admin: nowMs - entry.sinceMs.admin }
    if (after.health !== before.health) entry.sinceMs.health = nowMs
    if (after.admin !== before.admin) entry.sinceMs.admin = nowMs
    if (after.health !== before.health) entry.why.health = why
    if (after.isEjected && !before.isEjected) entry.ejections++
    if (after.isEjected !== before.isEjected || after.isProbing !== before.isProbing) entry.why.ejection = why
    entry.mustWarm = mustRest(after) || (entry.mustWarm && !isUsable(after))
    this.#count(entry.upstream, (isUsable(after) ? 1 : 0) - wasUsable)
    this.#put(entry, after, digestOfServer(before), nowMs)
    const line = newsLine({ before, after, why, lastedMs })
    if (line !== null) this.#options.log(line)
    return true
  }

  /** Gives the record the next version. `part`: what the one before was in the digest. */
  #put(entry: ServerEntry, record: ServerRecord, part: number, nowMs: number): void {
    entry.record = { ...record, version: this.#version + 1 }
    this.#raise(part ^ digestOfServer(entry.record), nowMs)
  }

  #raise(digestChange: number, nowMs: number): void {
    this.#version++
    this.#digest = (this.#digest ^ digestChange) >>> 0
    this.#history.add(this.#digest, nowMs)
    this.#options.onChange()
  }

  #count(upstream: string, change: number): void {
    this.#usable.set(upstream, (this.#usable.get(upstream) ?? 0) + change)
  }
}
