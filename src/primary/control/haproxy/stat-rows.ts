/** The rows of `show stat`: what HAProxy's columns mean in the counters of the board. */
import { abi } from '../../../native/abi.ts'
import type { ServerEntry } from '../../server-entry.ts'
import type { Operation } from '../operation.ts'
import { factsOf, type ServerFacts, stateOf, warmth } from '../server-status.ts'
import { takesTraffic } from '../status.ts'
import type { Backend } from './find.ts'
import type { StatRow } from './stat-columns.ts'

const { listenerCounter, serverCounter } = abi

/** What was not let in, and what could not be understood. */
const denied = [listenerCounter.refusedUntrustedProxy, listenerCounter.refusedAddressLimit, listenerCounter.refusedByFunction]
const wrong = [listenerCounter.refusedProxyHeader, listenerCounter.refusedClientHello, listenerCounter.refusedTooSlow]

type Listener = ReturnType<Operation['listeners']>[number]

export function frontendRow(operation: Operation, { name, slot }: Listener, iid: number): StatRow {
  const count = (counter: number) => operation.board.listener(slot, counter)
  const all = (counters: readonly number[]) => counters.reduce((sum, counter) => sum + count(counter), 0)
  return {
    pxname: name,
    svname: 'FRONTEND',
    scur: count(listenerCounter.connections),
    slim: operation.config().listeners.find((listener) => listener.name === name)?.limits.connections ?? '',
    stot: count(listenerCounter.accepted),
    dreq: all(denied),
    ereq: all(wrong),
    status: 'OPEN',
    pid: 1,
    iid,
    sid: 0,
    type: 0,
  }
}

export interface ServerPlace {
  backend: Backend
  id: number
  entry: Readonly<ServerEntry>
  nowMs: number
}

export function serverRow(operation: Operation, { backend, id, entry, nowMs }: ServerPlace): StatRow {
  const { record, sinceMs } = entry
  const facts = factsOf(operation, entry, backend.config, nowMs)
  const count = (counter: number) => operation.board.server(record.slot, counter)
  const exchanges = count(serverCounter.exchanges)
  return {
    pxname: backend.config.name,
    svname: record.config.name,
    // Those who wait do so for the upstream, not for one server.
    qcur: 0,
    scur: facts.inFlight,
    slim: record.config.maxConnections ?? '',
    stot: exchanges,
    bin: count(serverCounter.bytesSent),
    bout: count(serverCounter.bytesReceived),
    econ: count(serverCounter.failures),
    wredis: count(serverCounter.retriedAway),
    status: statusWord(facts),
    weight: Math.round(record.config.weight * record.weightShare),
    act: record.config.tier === 0 ? 1 : 0,
    bck: record.config.tier === 0 ? 0 : 1,
    lastchg: secondsSince(sinceMs.health, nowMs),
    pid: 1,
    iid: backend.id,
    sid: id,
    throttle: stateOf(facts) === 'warming' ? Math.round(warmth(facts) * 100) : '',
    lbtot: exchanges,
    type: 2,
  }
}

export function backendRow(operation: Operation, { id, config, servers }: Backend, rows: readonly StatRow[], nowMs: number): StatRow {
  const sum = (column: 'scur' | 'stot' | 'bin' | 'bout' | 'econ' | 'wredis') =>
    rows.reduce((total, row) => total + Number(row[column] ?? 0), 0)
  const usable = servers.map(({ entry }) => entry).filter(({ record }) => takesTraffic(record))
  // Backups count from when they serve.
  const first = Math.min(...usable.map(({ record }) => record.config.tier))
  const serving = usable.filter(({ record }) => record.config.tier === first)
  const changedMs = Math.max(0, ...servers.map(({ entry }) => entry.sinceMs.health))
  return {
    pxname: config.name,
    svname: 'BACKEND',
    qcur: servers.reduce((total, { entry }) => total + operation.board.waiting(entry.record.slot), 0),
    scur: sum('scur'),
    slim: config.limits.inFlight,
    stot: sum('stot'),
    bin: sum('bin'),
    bout: sum('bout'),
    econ: sum('econ'),
    wredis: sum('wredis'),
    status: usable.length > 0 ? 'UP' : 'DOWN',
    weight: Math.round(serving.reduce((total, { record }) => total + record.config.weight * record.weightShare, 0)),
    act: usable.filter(({ record }) => record.config.tier === 0).length,
    bck: usable.filter(({ record }) => record.config.tier > 0).length,
    lastchg: servers.length === 0 ? 0 : secondsSince(changedMs, nowMs),
    pid: 1,
    iid: id,
    sid: 0,
    lbtot: sum('stot'),
    type: 1,
  }
}

/** `UP 1/3` is on its way down after the first of three bad checks, `DOWN 1/2` on its way up. */
function statusWord(facts: ServerFacts): string {
  const { entry, upstream, row } = facts
  const { health, admin, isEjected } = entry.record
  if (admin === 'maint') return 'MAINT'
  if (health !== 'up') return row?.ok === true ? `DOWN ${row.streak}/${upstream.health?.rise ?? 1}` : 'DOWN'
  if (entry.admin === 'drain') return 'DRAIN'
  if (entry.isSoftStopped) return 'NOLB'
  if (isEjected) return 'DOWN'
  if (!entry.isChecked) return 'no check'
  return row?.ok === false ? `UP ${row.streak}/${upstream.health?.fall ?? 1}` : 'UP'
}

function secondsSince(ms: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - ms) / 1_000))
}
