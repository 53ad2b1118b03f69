/** What state each server was in, and when: `weir why` tells of it later. */
import { isUsable, type ServerRecord } from '../../shared/ipc/server-state.ts'
import type { ServerEntry } from '../server-entry.ts'

/** From `atMs` on, until the next one. */
export interface StateChange {
  /** On the wall clock, milliseconds since 1970. */
  atMs: number
  /** One word, as `weir status` says it. */
  state: string
  /** In words; '' for nothing. */
  why: string
}

export interface StateStory {
  server: string
  /** When the time that was asked for began; null: it was not there yet, or so long ago that it is forgotten. */
  atFirst: StateChange | null
  /** What changed until its end. */
  later: StateChange[]
}

/** What is read of the table. */
export interface StateTable {
  readonly version: number
  changesSince(version: number): { servers: ServerRecord[]; removed: { server: string }[] }
  get(server: string): Readonly<ServerEntry> | undefined
}

/** Changes of one server, and servers that are gone: older ones are forgotten. */
const MOST_CHANGES = 64
const MOST_GONE = 1_000

export class StateJournal {
  readonly #table: StateTable
  readonly #changes = new Map<string, StateChange[]>()
  readonly #gone = new Set<string>()
  #seen = 0

  constructor(table: StateTable) {
    this.#table = table
  }

  /** Notes what changed since the last look; a time is as exact as looks are frequent. */
  look(nowMs: number): void {
    const { version } = this.#table
    if (version === this.#seen) return
    const { servers, removed } = this.#table.changesSince(this.#seen)
    this.#seen = version
    for (const { server } of removed) if (this.#table.get(server) === undefined) this.#remove(server, nowMs)
    for (const { server } of servers) {
      const entry = this.#table.get(server)
      if (entry !== undefined) this.#note(server, { atMs: nowMs, ...wordsOf(entry) })
    }
  }

  /** Of all servers of an upstream that were there at some time between two moments, or of one server. */
  between(upstream: string, fromMs: number, toMs: number): StateStory[] {
    const stories = [...this.#changes].filter(([server]) => server.startsWith(`${upstream}/`))
    return stories
      .map(([server, changes]) => storyOf(server, changes, fromMs, toMs))
      .filter(({ atFirst, later }) => {
        return later.length > 0 || (atFirst !== null && atFirst.state !== 'removed')
      })
  }

  #remove(server: string, atMs: number): void {
    this.#note(server, { atMs, state: 'removed', why: '' })
    this.#gone.add(server)
    for (const first of this.#gone) {
      if (this.#gone.size <= MOST_GONE) return
      this.#gone.delete(first)
      this.#changes.delete(first)
    }
  }

  #note(server: string, change: StateChange): void {
    this.#gone.delete(server)
    const changes = this.#changes.get(server) ?? []
    const last = changes.at(-1)
    // A weight or a version that changed is no other state.
    if (last !== undefined && last.state === change.state && last.why === change.why) return
    changes.push(change)
    if (changes.length > MOST_CHANGES) changes.shift()
    this.#changes.set(server, changes)
  }
}

function storyOf(server: string, changes: readonly StateChange[], fromMs: number, toMs: number): StateStory {
  const atFirst = changes.findLast(({ atMs }) => atMs <= fromMs) ?? null
  return { server, atFirst, later: changes.filter(({ atMs }) => atMs > fromMs && atMs <= toMs) }
}

function wordsOf({ record, why, admin, isSoftStopped }: Readonly<ServerEntry>): { state: string; why: string } {
  if (record.admin !== 'ready')
    return { state: record.admin === 'maint' ? 'maint' : 'draining', why: admin === 'ready' && isSoftStopped ? why.softStop : why.admin }
  if (record.health !== 'up')
    return { state: record.health, why: record.health === 'unknown' ? 'it waited for its first check' : why.health }
  if (record.isEjected) return { state: 'ejected', why: why.ejection }
  if (record.isProbing) return { state: 'probing', why: why.ejection }
  return isUsable(record) ? { state: 'up', why: '' } : { state: 'unusable', why: '' }
}
