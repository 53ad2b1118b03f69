/** What the primary knows, for statistics: names, states, checks, work in progress. No number that is on the board. */
import { abi } from '../../native/abi.ts'
import { machineMs } from '../../shared/base/clock.ts'
import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { LiveWork } from '../../shared/statistics/live.ts'
import type { Operation } from '../control/operation.ts'
import { factsOf, stateOf, whyOf } from '../control/server-status.ts'
import { takesTraffic } from '../control/status.ts'
import { weirVersion } from '../control/weir-version.ts'
import type { ServerEntry } from '../server-entry.ts'
import { type Facts, noRoute, type RouteName, rowsOf, type ServerFacts, type UpstreamFacts } from './facts.ts'
import type { WatchedRow } from './keeper.ts'

export interface FactSources {
  operation: Operation
  /** Rows of routes, without those of listeners. */
  routes(): readonly RouteName[]
  reloads(): { applied: number; refused: number }
  /** Of the access log; null without one. */
  lostRecords(): number | null
  /** Of listeners that end TLS. */
  certificates(): Facts['certificates']
  /** Since when the primary is in the state that it is in. */
  stateSince(): Date
}

export function gatherFacts({ operation, routes, reloads, lostRecords, certificates, stateSince }: FactSources): Facts {
  const nowMs = machineMs()
  const now = Date.now()
  const { startedAt, fleet } = operation
  const listeners = operation.listeners()
  const last = operation.lastReload()
  const upstreams = operation.config().upstreams.map((upstream) => upstreamFacts(operation, upstream, nowMs))
  return {
    time: new Date(now).toISOString(),
    version: weirVersion(),
    nodeVersion: process.version,
    startedAtMs: startedAt.getTime(),
    uptimeSeconds: Math.max(0, now - startedAt.getTime()) / 1_000,
    generation: operation.generation(),
    lastReload: last === null ? null : { ok: last.ok, atMs: Date.parse(last.at) },
    reloads: reloads(),
    gossip: fleet.hub.lagMs(),
    lostRecords: lostRecords(),
    workers: operation.workers().map(({ number, pid, state, connections, tunnels, restarts, isStalled }) => {
      return { number, pid, state, connections, tunnels, restarts, isUp: state === 'ready' && !isStalled }
    }),
    listeners: listeners.map(({ name, addresses, protocol, slot }) => {
      return { name, addresses: [...addresses], protocol, slot, connections: connectionsOf(operation, slot) }
    }),
    certificates: certificates(),
    routes: allRoutes(operation, routes()),
    upstreams,
    work: [...ofProcess(operation, stateSince()), ...drains(operation, upstreams, now, nowMs)],
  }
}

/** Who has which row, and nothing else. */
export function gatherRows({ operation, routes }: Pick<FactSources, 'operation' | 'routes'>): WatchedRow[] {
  const servers = operation.config().upstreams.flatMap((upstream) =>
    upstream.servers.flatMap(({ name }) => {
      const record = operation.fleet.table.get(`${upstream.name}/${name}`)?.record
      return record === undefined ? [] : [{ id: record.server, slot: record.slot }]
    }),
  )
  return rowsOf(servers, allRoutes(operation, routes()))
}

/** Listeners have rows, too, for what reached no route. */
function allRoutes(operation: Operation, routes: readonly RouteName[]): RouteName[] {
  return [...operation.listeners().map(({ name, slot }) => ({ row: slot, listener: name, name: noRoute })), ...routes]
}

function connectionsOf({ board }: Operation, slot: number): number {
  return board.listener(slot, abi.listenerCounter.connections)
}

function upstreamFacts(operation: Operation, upstream: UpstreamConfig, nowMs: number): UpstreamFacts {
  const { table } = operation.fleet
  const entries = upstream.servers.flatMap(({ name }) => table.get(`${upstream.name}/${name}`) ?? [])
  const good = entries.filter(({ record }) => record.health === 'up' && record.admin === 'ready')
  return {
    name: upstream.name,
    balance: upstream.balance,
    breakerPass: table.breakerPass(upstream.name),
    isPanicking: good.length > 0 && good.every(({ record }) => record.isEjected),
    servers: entries.map((entry) => serverFacts(operation, upstream, entry, nowMs)),
  }
}

function serverFacts(operation: Operation, upstream: UpstreamConfig, entry: Readonly<ServerEntry>, nowMs: number): ServerFacts {
  const { server, config, slot, admin, weightShare } = entry.record
  const facts = factsOf(operation, entry, upstream, nowMs)
  const state = stateOf(facts)
  const checks = operation.fleet.checker.historyOf(server)
  return {
    id: server,
    name: config.name,
    slot,
    address: config.address.text,
    isBackup: config.tier > 0,
    state,
    admin,
    reason: whyOf(state, facts) || null,
    weight: config.weight * weightShare,
    weightPercent: Math.round(weightShare * 1e4) / 100,
    takesTraffic: takesTraffic(entry.record),
    checks: checks?.latest ?? '',
    passedChecks: checks?.passed ?? 0,
    failedChecks: checks?.failed ?? 0,
    checkSeconds: (checks?.tookMs ?? 0) / 1_000,
    ejections: entry.ejections,
  }
}

/** A reload or an upgrade on its way. */
function ofProcess(operation: Operation, since: Date): LiveWork[] {
  const state = operation.state()
  const startedAt = since.toISOString()
  if (state === 'reloading')
    return [{ kind: 'reload', subject: operation.configFile ?? '', progress: 'the config is being applied', startedAt }]
  if (state === 'upgrading') return [{ kind: 'upgrade', subject: '', progress: 'the program is being started anew', startedAt }]
  return []
}

/** Servers that finish what they have. */
function drains({ fleet }: Operation, upstreams: readonly UpstreamFacts[], now: number, nowMs: number): LiveWork[] {
  const draining = upstreams.flatMap(({ servers }) => servers).filter(({ state }) => state === 'draining')
  return draining.map(({ id, reason }) => {
    const sinceMs = fleet.table.get(id)?.sinceMs.admin ?? nowMs
    return { kind: 'drain', subject: id, progress: reason ?? '', startedAt: new Date(now - (nowMs - sinceMs)).toISOString() }
  })
}
