/** Makes what live views show, from what the keeper has and what the primary says. Pure. */
import { abi } from '../../native/abi.ts'
import type {
  LiveRoute,
  LiveServer,
  LiveUpstream,
  LiveView,
  PhaseQuantiles,
  Quantiles,
  Rates,
  WindowName,
} from '../../shared/statistics/live.ts'
import { terminationWord } from '../../shared/termination.ts'
import { upperBoundUs } from '../control/latency-buckets.ts'
import type { BoardView } from './board-view.ts'
import { type Facts, noRoute, type RouteName, type ServerFacts, type UpstreamFacts } from './facts.ts'
import { figure, type Keeper, type RowKind } from './keeper.ts'
import { quantilesOf, withZeros } from './quantiles.ts'
import { BUCKETS } from './series-history.ts'

const { phase, routeCounter, serverCounter } = abi

export interface LiveSources {
  facts: Facts
  keeper: Keeper
  board: BoardView
  window: WindowName
}

/** Rows whose values are taken together. */
interface Group {
  of: RowKind
  rows: readonly number[]
}

export function liveView(sources: LiveSources): LiveView {
  const { facts, window } = sources
  const { time, version, generation, uptimeSeconds, workers, listeners, work } = facts
  const all = everything(facts)
  return {
    time,
    version,
    generation,
    uptimeSeconds,
    window,
    rates: ratesOf(sources, all),
    latency: totalLatency(sources, all),
    distribution: distributionOf(sources, all),
    terminations: terminationsOf(sources),
    listeners: listeners.map(({ slot: _, ...listener }) => listener),
    routes: facts.routes
      .map((route) => liveRoute(sources, route))
      .filter(({ name, rates }) => name !== noRoute || rates.requestsPerSecond > 0),
    upstreams: facts.upstreams.map((upstream) => liveUpstream(sources, upstream)),
    workers: workers.map(({ isUp: _, ...worker }) => worker),
    work,
  }
}

/** Routes know what clients got; without any, servers know what there was. */
function everything({ routes, upstreams }: Facts): Group {
  if (routes.some(({ name }) => name !== noRoute)) return { of: 'route', rows: routes.map(({ row }) => row) }
  return { of: 'server', rows: slotsOf(upstreams) }
}

function slotsOf(upstreams: readonly UpstreamFacts[]): number[] {
  return upstreams.flatMap(({ servers }) => servers.map(({ slot }) => slot))
}

function liveRoute(sources: LiveSources, { row, listener, name }: RouteName): LiveRoute {
  const group: Group = { of: 'route', rows: [row] }
  const active = sources.board.route(row, routeCounter.active)
  return { listener, name, active, rates: ratesOf(sources, group), latency: latencyOf(sources, group) }
}

function liveUpstream(sources: LiveSources, { name, balance, servers }: UpstreamFacts): LiveUpstream {
  const group: Group = { of: 'server', rows: servers.map(({ slot }) => slot) }
  const waiting = servers.reduce((sum, { slot }) => sum + sources.board.waiting(slot), 0)
  const isHolding = !servers.some(({ takesTraffic }) => takesTraffic)
  return {
    name,
    balance,
    waiting: isHolding ? 0 : waiting,
    held: isHolding ? waiting : 0,
    rates: ratesOf(sources, group),
    latency: latencyOf(sources, group),
    servers: servers.map((server) => liveServer(sources, server)),
  }
}

function liveServer(sources: LiveSources, server: ServerFacts): LiveServer {
  const { id, name, slot, address, isBackup, state, admin, reason, weightPercent, checks } = server
  const { board } = sources
  const group: Group = { of: 'server', rows: [slot] }
  return {
    id,
    name,
    address,
    isBackup,
    state,
    admin,
    reason,
    weightPercent,
    inFlight: board.inFlight(slot),
    tunnels: board.server(slot, serverCounter.openTunnels),
    idleConnections: board.server(slot, serverCounter.idle),
    rates: ratesOf(sources, group),
    latency: latencyOf(sources, group),
    checks,
  }
}

function ratesOf(sources: LiveSources, { of, rows }: Group): Rates {
  const { keeper, window } = sources
  const sums = new Float64Array(figure.count)
  for (const row of rows) keeper.addFigures(of, row, window, sums)
  const seconds = lastedSeconds(sources)
  const requests = sums[figure.requests] as number
  return {
    requestsPerSecond: requests / seconds,
    errorShare: requests === 0 ? 0 : Math.min(1, (sums[figure.errors] as number) / requests),
    bytesInPerSecond: (sums[figure.bytesIn] as number) / seconds,
    bytesOutPerSecond: (sums[figure.bytesOut] as number) / seconds,
  }
}

function lastedSeconds({ keeper, window, facts }: LiveSources): number {
  return window === 'total' ? Math.max(0.001, facts.uptimeSeconds) : keeper.coveredMs(window) / 1_000
}

/** Connections are opened for servers, whatever else is counted by routes. */
function totalLatency(sources: LiveSources, all: Group): PhaseQuantiles {
  const connect = quantilesIn(sources, { of: 'server', rows: slotsOf(sources.facts.upstreams) }, phase.connect)
  return { ...latencyOf(sources, all), connect }
}

function latencyOf(sources: LiveSources, group: Group): PhaseQuantiles {
  const total = quantilesIn(sources, group, phase.total)
  const read = (number: number) => quantilesIn(sources, group, number)
  return {
    queue: quantilesIn(sources, group, phase.queue, total?.count ?? 0),
    connect: read(phase.connect),
    firstByte: read(phase.firstByte),
    total,
    overhead: read(phase.overhead),
  }
}

/** Every view has thousands of histograms, most of them empty: one array serves them all. */
const scratch = new Float64Array(BUCKETS)

/** `all`: so many values there are at least; those that were not recorded are 0. */
function quantilesIn({ keeper, window }: LiveSources, { of, rows }: Group, number: number, all = 0): Quantiles | null {
  let hasAny = all > 0
  for (const row of rows) if (keeper.addCounts(of, row, number, window, scratch)) hasAny = true
  if (!hasAny) return null
  const found = quantilesOf(withZeros(scratch, all))
  scratch.fill(0)
  return found
}

function distributionOf(sources: LiveSources, all: Group): [number, number][] {
  const counts = new Float64Array(BUCKETS)
  for (const row of all.rows) sources.keeper.addCounts(all.of, row, phase.total, sources.window, counts)
  const found: [number, number][] = []
  for (const [bucket, count] of counts.entries()) if (count > 0) found.push([upperBoundUs(bucket), count])
  return found
}

function terminationsOf({ keeper, window }: LiveSources): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [number, count] of keeper.terminations(window).entries()) if (count > 0) found[terminationWord(number)] = count
  return found
}
