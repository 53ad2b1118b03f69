import type { HeartbeatMessage, ServersMessage } from '../shared/ipc/server-state.ts'
import { type LagFigures, LagHistogram, type LagRecorder } from './lag-histogram.ts'
import type { ServerTable } from './server-table.ts'

/** A worker that is behind and confirms nothing new for so long gets the whole table. */
const PATIENCE_MS = 1_000
/** A whole table that is on its way gets time to arrive before a heartbeat asks for another one. */
const WHOLE_GAP_MS = 200
/** Nothing is sent to a worker that says nothing: its channel would only fill. What it missed goes out when it speaks again. */
const SILENCE_MS = 3_000

interface Member {
  send(message: ServersMessage): void
  /** It has confirmed something since it joined; convergence waits for it. */
  isLive: boolean
  sentVersion: number
  confirmedVersion: number
  heardMs: number
  /** Since when it owes a confirmation. */
  waitingMs: number
  wholeMs: number
}

export interface GossipOptions {
  table: ServerTable
  lags?: LagRecorder
}

/** Spreads the table to workers. Pure: the caller says what arrived, when to look, and what time it is. */
export class GossipHub {
  readonly #table: ServerTable
  readonly #lags: LagRecorder
  readonly #members = new Map<number, Member>()
  /** Every live worker has confirmed the changes up to here. */
  #converged = 0

  constructor({ table, lags = new LagHistogram() }: GossipOptions) {
    this.#table = table
    this.#lags = lags
  }

  /**
   * A new worker, by a number that no other one has at the time. Answers the table that it begins with: it travels in the Serve order.
   * `send` must reach this worker process and no later one.
   */
  join(worker: number, send: (message: ServersMessage) => void, nowMs: number): ServersMessage {
    const sentVersion = this.#table.version
    this.#members.set(worker, { send, isLive: false, sentVersion, confirmedVersion: 0, heardMs: nowMs, waitingMs: nowMs, wholeMs: nowMs })
    return this.#table.whole()
  }

  /** The worker is dead. */
  leave(worker: number, nowMs: number): void {
    this.#members.delete(worker)
    this.#converge(nowMs)
  }

  heard(worker: number, heartbeat: HeartbeatMessage, nowMs: number): void {
    const member = this.#members.get(worker)
    if (member === undefined) return
    member.heardMs = nowMs
    const isRight = heartbeat.epoch === this.#table.epoch && heartbeat.digest === this.#table.digestAt(heartbeat.version)
    if (isRight) this.#confirm(member, heartbeat.version, nowMs)
    else if (nowMs - member.wholeMs >= WHOLE_GAP_MS) this.#sendWhole(member, nowMs)
    this.#advance(member, new Map(), nowMs)
  }

  /** To be called soon after a change, once for all changes of one turn of the event loop, and several times a second. */
  tick(nowMs: number): void {
    const deltas = new Map<number, ServersMessage>()
    for (const member of this.#members.values()) this.#advance(member, deltas, nowMs)
  }

  /** What every worker has applied, also those that are just starting. With no worker at all it is the table's own version. */
  get confirmedVersion(): number {
    let lowest = this.#table.version
    for (const member of this.#members.values()) lowest = Math.min(lowest, member.confirmedVersion)
    return lowest
  }

  /** From a change to the last live worker's confirmation. */
  lagMs(): LagFigures {
    return this.#lags.figures()
  }

  /** `deltas` of this tick by the version that they begin at: workers are mostly at the same one. */
  #advance(member: Member, deltas: Map<number, ServersMessage>, nowMs: number): void {
    if (nowMs - member.heardMs > SILENCE_MS) return
    const { version } = this.#table
    if (member.sentVersion < version) {
      if (member.confirmedVersion === member.sentVersion) member.waitingMs = nowMs
      const delta = deltas.get(member.sentVersion) ?? this.#table.changesSince(member.sentVersion)
      deltas.set(member.sentVersion, delta)
      member.sentVersion = version
      member.send(delta)
    } else if (member.confirmedVersion < version && nowMs - member.waitingMs > PATIENCE_MS) this.#sendWhole(member, nowMs)
  }

  #sendWhole(member: Member, nowMs: number): void {
    member.sentVersion = this.#table.version
    member.wholeMs = nowMs
    member.waitingMs = nowMs
    member.send(this.#table.whole())
  }

  #confirm(member: Member, version: number, nowMs: number): void {
    const isFirst = !member.isLive
    if (!isFirst && version <= member.confirmedVersion) return
    member.confirmedVersion = version
    member.waitingMs = nowMs
    // Nobody waited for what came before the first live worker.
    if (isFirst && this.#lowestLive() === null) this.#converged = Math.max(this.#converged, version)
    member.isLive = true
    this.#converge(nowMs)
  }

  #converge(nowMs: number): void {
    const lowest = this.#lowestLive() ?? this.#converged
    while (this.#converged < lowest) {
      const changedMs = this.#table.changedAtMs(++this.#converged)
      if (changedMs !== undefined) this.#lags.record(nowMs - changedMs)
    }
  }

  #lowestLive(): number | null {
    let lowest: number | null = null
    for (const member of this.#members.values()) {
      if (member.isLive && (lowest === null || member.confirmedVersion < lowest)) lowest = member.confirmedVersion
    }
    return lowest
  }
}
