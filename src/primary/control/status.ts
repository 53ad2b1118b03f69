/** All that `weir status` shows, read from the table, the checker and the board. */
import { abi } from '../../native/abi.ts'
import { machineMs } from '../../shared/base/clock.ts'
import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { LatencyFigures, ListenerStatus, ServerStatus, StatusData, UpstreamStatus } from '../../shared/control/data.ts'
import { isUsable, type ServerRecord } from '../../shared/ipc/server-state.ts'
import type { Operation } from './operation.ts'
import { factsOf, serverStatus } from './server-status.ts'
import { weirVersion } from './weir-version.ts'

/** Servers that are told of in one turn of the event loop: health checks of a big fleet have their turn in between. */
const PER_TURN = 200

export interface LastMinute {
  all: LatencyFigures | null
  /** By `upstream/server`. */
  servers: ReadonlyMap<string, LatencyFigures>
}

/** `lastMinute` null: it is not known. */
export async function statusData(operation: Operation, lastMinute: LastMinute | null, nowMs = machineMs()): Promise<StatusData> {
  const { startedAt, configFile } = operation
  const upstreams: UpstreamStatus[] = []
  for (const upstream of operation.config().upstreams) upstreams.push(await upstreamStatus(operation, upstream, lastMinute, nowMs))
  return {
    version: weirVersion(),
    pid: process.pid,
    state: operation.state(),
    startedAt: startedAt.toISOString(),
    uptimeMs: Math.max(0, Date.now() - startedAt.getTime()),
    configFile,
    lastReload: operation.lastReload(),
    workers: operation.workers(),
    listeners: listenersOf(operation),
    upstreams,
    overrides: operation.overrides(),
    ...(lastMinute === null ? {} : { lastMinute: lastMinute.all }),
  }
}

/** Of those servers that there are; a command that removed one answers without it. */
export function statusOf(operation: Operation, ids: readonly string[], nowMs = machineMs()): ServerStatus[] {
  const { upstreams } = operation.config()
  return ids.flatMap((id) => {
    const entry = operation.fleet.table.get(id)
    const upstream = upstreams.find(({ name }) => name === entry?.upstream)
    return entry === undefined || upstream === undefined ? [] : [serverStatus(operation, factsOf(operation, entry, upstream, nowMs))]
  })
}

/** Whether new requests go there: it is usable, and weighs something. */
export function takesTraffic(record: ServerRecord): boolean {
  return isUsable(record) && record.config.weight * record.weightShare > 0
}

async function upstreamStatus(
  operation: Operation,
  upstream: UpstreamConfig,
  lastMinute: LastMinute | null,
  nowMs: number,
): Promise<UpstreamStatus> {
  const { board, fleet } = operation
  const entries = upstream.servers.flatMap(({ name }) => fleet.table.get(`${upstream.name}/${name}`) ?? [])
  return {
    name: upstream.name,
    balance: upstream.balance,
    breaker: fleet.table.breakerPass(upstream.name),
    // One row stands for the queue of all of them; which one that is changes with the servers.
    waiting: entries.reduce((sum, { record }) => sum + board.waiting(record.slot), 0),
    usable: entries.filter(({ record }) => takesTraffic(record)).length,
    servers: await inTurns(entries, (entry) => {
      const status = serverStatus(operation, factsOf(operation, entry, upstream, nowMs))
      return lastMinute === null ? status : { ...status, lastMinute: lastMinute.servers.get(status.id) ?? null }
    }),
  }
}

async function inTurns<T, U>(items: readonly T[], make: (item: T) => U): Promise<U[]> {
  const made: U[] = []
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % PER_TURN === 0) await new Promise(setImmediate)
    made.push(make(item))
  }
  return made
}

function listenersOf(operation: Operation): ListenerStatus[] {
  return operation.listeners().map(({ name, protocol, addresses, slot }) => {
    return { name, protocol, addresses, connections: operation.board.listener(slot, abi.listenerCounter.connections) }
  })
}
