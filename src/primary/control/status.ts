/** All that `weir status` shows, read from the table, the checker and the board at one moment. */
import { abi } from '../../native/abi.ts'
import { machineMs } from '../../shared/base/clock.ts'
import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { ListenerStatus, ServerStatus, StatusData, UpstreamStatus } from '../../shared/control/data.ts'
import { isUsable, type ServerRecord } from '../../shared/ipc/server-state.ts'
import type { Operation } from './operation.ts'
import { factsOf, serverStatus } from './server-status.ts'
import { weirVersion } from './weir-version.ts'

export function statusData(operation: Operation, nowMs = machineMs()): StatusData {
  const { startedAt, configFile } = operation
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
    upstreams: operation.config().upstreams.map((upstream) => upstreamStatus(operation, upstream, nowMs)),
    overrides: operation.overrides(),
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

function upstreamStatus(operation: Operation, upstream: UpstreamConfig, nowMs: number): UpstreamStatus {
  const { board, fleet } = operation
  const entries = upstream.servers.flatMap(({ name }) => fleet.table.get(`${upstream.name}/${name}`) ?? [])
  return {
    name: upstream.name,
    balance: upstream.balance,
    breaker: fleet.table.breakerPass(upstream.name),
    // One row stands for the queue of all of them; which one that is changes with the servers.
    waiting: entries.reduce((sum, { record }) => sum + board.waiting(record.slot), 0),
    usable: entries.filter(({ record }) => takesTraffic(record)).length,
    servers: entries.map((entry) => serverStatus(operation, factsOf(operation, entry, upstream, nowMs))),
  }
}

function listenersOf(operation: Operation): ListenerStatus[] {
  return operation.listeners().map(({ name, protocol, addresses, slot }) => {
    return { name, protocol, addresses, connections: operation.board.listener(slot, abi.listenerCounter.connections) }
  })
}
