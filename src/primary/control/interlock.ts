/** Keeps a command from taking the last server of an upstream away by accident. */
import { machineMs } from '../../shared/base/clock.ts'
import type { UpstreamConfig } from '../../shared/config/model.ts'
import { ControlError } from '../../shared/control/requests.ts'
import type { ServerEntry } from '../server-entry.ts'
import { upstreamOf } from './find-server.ts'
import type { Operation } from './operation.ts'
import { factsOf, stateOf } from './server-status.ts'
import { takesTraffic } from './status.ts'
import { isGoing } from './under-way.ts'

/** More servers than these are counted, not named. */
const MOST_NAMED = 6

/**
 * Throws ControlError `refused` when the server gets new requests and no other one of its upstream does. One that gets none may go
 * anyway. `doing`: what would leave it so, such as `draining it`.
 */
export function mustLeaveOthers(operation: Operation, entry: Readonly<ServerEntry>, doing: string): void {
  if (!takesTraffic(entry.record)) return
  const { server } = entry.record
  const upstream = upstreamOf(operation, entry.upstream)
  const others = upstream.servers
    .flatMap(({ name }) => operation.fleet.table.get(`${upstream.name}/${name}`) ?? [])
    .filter((one) => one !== entry)
  if (others.some(({ record }) => takesTraffic(record) && !isGoing(operation, record.server))) return
  const which = others.length === 0 ? 'only' : 'last usable'
  const left = others.length === 0 ? 'no server' : `no usable one: ${remaining(operation, upstream, others)}`
  throw new ControlError(
    'refused',
    `${server} is the ${which} server of ${upstream.name}, and ${doing} would leave ${left}; use --force to do it all the same`,
  )
}

function remaining(operation: Operation, upstream: UpstreamConfig, others: readonly Readonly<ServerEntry>[]): string {
  const nowMs = machineMs()
  const named = others
    .slice(0, MOST_NAMED)
    .map((entry) => `${entry.record.config.name} is ${stateWords(operation, upstream, entry, nowMs)}`)
  if (others.length > MOST_NAMED) named.push(`and ${others.length - MOST_NAMED} more`)
  return named.join(', ')
}

function stateWords(operation: Operation, upstream: UpstreamConfig, entry: Readonly<ServerEntry>, nowMs: number): string {
  if (isGoing(operation, entry.record.server)) return 'being removed'
  const state = stateOf(factsOf(operation, entry, upstream, nowMs))
  if (state === 'maint') return 'in maintenance'
  // What is up and takes no traffic all the same weighs nothing.
  return state === 'up' || state === 'warming' ? 'of weight 0' : state
}
