/** What people are told of one server: its state in one word, why, and what it came to. */
import { abi } from '../../native/abi.ts'
import { formatCount, formatShare } from '../../shared/base/units.ts'
import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { LastCheck, ServerStatus } from '../../shared/control/data.ts'
import type { HealthRow } from '../health/check-target.ts'
import type { ServerEntry } from '../server-entry.ts'
import type { Operation } from './operation.ts'

const { serverCounter } = abi

/** What a status is made from. */
export interface ServerFacts {
  entry: Readonly<ServerEntry>
  upstream: UpstreamConfig
  row: HealthRow | undefined
  inFlight: number
  /** On the clock of the table and the checker, in milliseconds. */
  nowMs: number
}

/** The facts of a server that the table has. */
export function factsOf(operation: Operation, entry: Readonly<ServerEntry>, upstream: UpstreamConfig, nowMs: number): ServerFacts {
  const { server, slot } = entry.record
  return { entry, upstream, row: operation.fleet.checker.reportOf(server), inFlight: operation.board.inFlight(slot), nowMs }
}

export function serverStatus(operation: Operation, facts: ServerFacts): ServerStatus {
  const { entry, row, inFlight, nowMs } = facts
  const { record, upstream, isChecked } = entry
  const { server, config, health, admin, isEjected, isProbing, weightShare } = record
  const state = stateOf(facts)
  return {
    id: server,
    upstream,
    name: config.name,
    address: config.address.text,
    source: operation.sourceOf(server),
    state,
    why: whyOf(state, facts),
    health,
    admin,
    isChecked,
    isEjected,
    isProbing,
    weight: config.weight,
    weightShare,
    isBackup: config.tier > 0,
    sinceMs: Math.max(0, nowMs - entry.sinceMs.health),
    lastCheck: row === undefined ? null : lastCheckOf(row, nowMs),
    nextCheckMs: row?.nextAt == null ? null : Math.max(0, Math.round(row.nextAt - nowMs)),
    goodChecks: row?.ok === true ? row.streak : 0,
    badChecks: row?.ok === false ? row.streak : 0,
    inFlight,
    maxConnections: config.maxConnections,
    ...countersOf(operation, record.slot),
  }
}

/** In one word. What the operator said comes first; then whether it answers at all; then what its traffic came to. */
export function stateOf({ entry, upstream, inFlight, nowMs }: ServerFacts): ServerStatus['state'] {
  const { health, admin, isEjected, isProbing, warmSinceMs } = entry.record
  if (admin === 'maint') return 'maint'
  if (admin === 'drain') return inFlight > 0 ? 'draining' : 'drained'
  if (health !== 'up') return health
  if (isEjected) return 'ejected'
  if (isProbing) return 'probing'
  return warmSinceMs > 0 && nowMs - warmSinceMs < (upstream.slowStart?.ms ?? 0) ? 'warming' : 'up'
}

/** How far its slow start is, from 0 to 1; 1 when it is not in one. */
export function warmth({ entry, upstream, nowMs }: ServerFacts): number {
  const ms = upstream.slowStart?.ms ?? 0
  const { warmSinceMs } = entry.record
  return warmSinceMs === 0 || ms === 0 ? 1 : Math.min(1, (nowMs - warmSinceMs) / ms)
}

/** In words; empty where there is nothing to say. */
export function whyOf(state: ServerStatus['state'], facts: ServerFacts): string {
  const { entry, row, inFlight } = facts
  const { why } = entry
  switch (state) {
    case 'up':
      return ''
    case 'warming':
      return `${formatShare(Math.round(warmth(facts) * 100) / 100)} of its slow start is over`
    case 'unknown':
      return 'waits for its first check'
    case 'down':
      return downWords(why.health, row)
    case 'ejected':
      return why.ejection
    case 'probing':
      return `one request at a time${after(why.ejection)}`
    default:
      return adminWords(entry, inFlight, row)
  }
}

/** `L4CON connection refused, 4 bad checks`; or what an agent or anybody else said. */
function downWords(said: string, row: HealthRow | undefined): string {
  if (row?.ok === false) return `${row.code} ${row.reason}, ${formatCount(row.streak, 'bad check')}`
  const recovers = row?.ok === true ? `${formatCount(row.streak, 'good check')} since` : ''
  return [said, recovers].filter((part) => part !== '').join('; ') || 'no check was good yet'
}

function adminWords({ record, admin, isSoftStopped, why }: ServerEntry, inFlight: number, row: HealthRow | undefined): string {
  const remaining = inFlight > 0 ? `${inFlight} in flight` : record.admin === 'maint' ? '' : 'nothing in flight'
  const said = admin === 'ready' && isSoftStopped ? why.softStop : why.admin
  const health = record.health === 'down' ? `down: ${downWords(why.health, row)}` : ''
  return [remaining, said, health].filter((part) => part !== '').join('; ')
}

function lastCheckOf(row: HealthRow, nowMs: number): LastCheck | null {
  if (row.code === null || row.checkedAt === null) return null
  return {
    code: row.code,
    reason: row.reason ?? '',
    latencyMs: Math.round((row.latencyMs ?? 0) * 1_000) / 1_000,
    agoMs: Math.max(0, nowMs - row.checkedAt),
  }
}

function countersOf({ board }: Operation, slot: number) {
  const count = (counter: number) => board.server(slot, counter)
  const [successes, failedStatuses] = [count(serverCounter.successes), count(serverCounter.failedStatuses)]
  const [responses, firstByteUs] = [successes + failedStatuses, count(serverCounter.firstByteUs)]
  return {
    idleConnections: count(serverCounter.idle),
    exchanges: count(serverCounter.exchanges),
    successes,
    failures: count(serverCounter.failures) + failedStatuses,
    // Tunnels have no first byte of a response.
    firstByteMeanMs: responses === 0 || firstByteUs === 0 ? null : Math.round(firstByteUs / responses) / 1_000,
  }
}

function after(reason: string): string {
  return reason === '' ? '' : `; ${reason}`
}
