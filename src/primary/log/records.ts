/** All that is known of single requests: the log thread, and what states the servers were in. */
import type { Fleet } from '../fleet.ts'
import type { AccessLog, LiveTail, TailEvents } from './access-log.ts'
import type { Found, RowName } from './messages.ts'
import { StateJournal, type StateStory } from './state-journal.ts'

/** How exact times of states are. */
const LOOK_MS = 50

/** What is asked of it by commands. */
export interface Records {
  /** Throws an Error when there are too many streams. */
  tail(where: string, events: TailEvents): LiveTail
  /** Rejects with an Error when the log thread ends meanwhile. */
  find(requestId: string): Promise<Found>
  /** Of the servers of an upstream between two moments, in milliseconds since 1970. */
  states(upstream: string, fromMs: number, toMs: number): StateStory[]
}

export interface RecordsOptions {
  log: AccessLog
  table: Fleet['table']
  /** Grows when listeners change. */
  generation(): number
  /** The newest last. */
  routes(): readonly { row: number; name: string }[]
}

/** Watches servers, and tells the log thread their names. Ends with the process. */
export function openRecords({ log, table, generation, routes }: RecordsOptions): Records {
  const journal = new StateJournal(table)
  let seen = ''
  const look = () => {
    journal.look(Date.now())
    const known = routes()
    const last = known.at(-1)
    const now = `${table.version} ${generation()} ${known.length} ${last?.row} ${last?.name}`
    if (now !== seen) log.namesChanged()
    seen = now
  }
  look()
  setInterval(look, LOOK_MS).unref()
  return {
    tail: (where, events) => log.tail(where, events),
    find: (requestId) => log.find(requestId),
    states: (upstream, fromMs, toMs) => journal.between(upstream, fromMs, toMs),
  }
}

export interface Named {
  servers: readonly { slot: number; server: string }[]
  listeners: readonly { slot: number; name: string }[]
  routes: readonly { row: number; name: string }[]
}

/** Names of the rows of the board. */
export function rowNames({ servers, listeners, routes }: Named): RowName[] {
  return [
    ...listeners.map(({ slot, name }): RowName => ({ kind: 'listener', row: slot, name })),
    ...routes.map(({ row, name }): RowName => ({ kind: 'route', row, name })),
    ...servers.map(({ slot, server }): RowName => ({ kind: 'server', row: slot, name: server })),
  ]
}
