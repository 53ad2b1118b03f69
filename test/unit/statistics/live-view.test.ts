import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abi } from '../../../src/native/abi.ts'
import { type Facts, rowsOf } from '../../../src/primary/statistics/facts.ts'
import { Keeper } from '../../../src/primary/statistics/keeper.ts'
import { liveView } from '../../../src/primary/statistics/live-view.ts'
import type { LiveUpstream, LiveView, WindowName } from '../../../src/shared/statistics/live.ts'
import { factsOf, serverFacts, upstreamFacts } from './lib/facts.ts'
import { boundOf, WrittenBoard } from './lib/written-board.ts'

const { phase, routeCounter, serverCounter, termination, workerCounter } = abi

function view(write: (board: WrittenBoard) => void, facts: Facts = factsOf(), window: WindowName = '10s'): LiveView {
  const board = new WrittenBoard(2)
  const keeper = new Keeper({ reader: board.view })
  keeper.watch(
    rowsOf(
      facts.upstreams.flatMap(({ servers }) => servers),
      facts.routes,
    ),
  )
  keeper.tick(100_000)
  write(board)
  keeper.tick(104_000)
  return liveView({ facts, keeper, board: board.view, window })
}

test('quantiles of an upstream come from the values of all its servers, not from their quantiles', () => {
  const { upstreams } = view((board) => {
    for (let i = 0; i < 90; i++) board.record(0, 'server', 0, phase.total, 1_000)
    for (let i = 0; i < 10; i++) board.record(1, 'server', 1, phase.total, 90_000)
  })
  const [api] = upstreams
  assert.deepEqual([api?.latency.total?.p50, api?.latency.total?.p99], [boundOf(1_000), boundOf(90_000)])
  assert.deepEqual(
    api?.servers.map(({ latency }) => latency.total?.p99),
    [boundOf(1_000), boundOf(90_000)],
  )
})

test('what did not happen is null, and what did not wait is 0', () => {
  const { latency, upstreams } = view((board) => board.record(0, 'server', 0, phase.total, 1_000))
  assert.equal(latency.total, null)
  const [a, b] = upstreams[0]?.servers ?? []
  assert.deepEqual(a?.latency.queue, { count: 1, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 })
  assert.equal(a?.latency.connect, null)
  assert.deepEqual(b?.latency, { queue: null, connect: null, firstByte: null, total: null, overhead: null })
})

test('rates are of the time that the window covers, and everything together is what clients got', () => {
  const { rates, routes, distribution, terminations, upstreams } = view((board) => {
    board.route(0, 64, routeCounter.status2xx, 30)
    board.route(1, 64, routeCounter.status5xx, 10)
    board.route(1, 64, routeCounter.bytesOut, 4_000)
    board.route(0, 0, routeCounter.status4xx, 40)
    board.server(0, 0, serverCounter.failures, 4)
    board.worker(0, workerCounter.terminations + termination.noRoute, 40)
    for (let i = 0; i < 40; i++) board.record(0, 'route', 64, phase.total, 250)
  })
  assert.deepEqual(rates, { requestsPerSecond: 20, errorShare: 0.125, bytesInPerSecond: 0, bytesOutPerSecond: 1_000 })
  assert.deepEqual(
    routes.map(({ name, rates: own }) => [name, own.requestsPerSecond, own.errorShare]),
    [
      ['none', 10, 0],
      ['/v1/', 10, 0.25],
    ],
  )
  assert.deepEqual(distribution, [[250, 40]])
  assert.deepEqual(terminations, { no_route: 40 })
  assert.equal(upstreams[0]?.rates.errorShare, 1)
})

test('who waits is held where no server is usable, and queued where one is', () => {
  const waits = (takesTraffic: boolean) => {
    const facts = factsOf({ upstreams: [upstreamFacts('api', [serverFacts('api/a', 0, { takesTraffic })])] })
    const { waiting, held } = view((board) => board.waiting(0, 3), facts).upstreams[0] as LiveUpstream
    return { waiting, held }
  }
  assert.deepEqual(waits(false), { waiting: 0, held: 3 })
  assert.deepEqual(waits(true), { waiting: 3, held: 0 })
})

test('a view says what it is of', () => {
  const found = view(() => undefined, factsOf(), '1m')
  assert.deepEqual([found.window, found.generation, found.version], ['1m', 7, '0.1.0'])
  assert.deepEqual(found.workers, [{ number: 1, pid: 42, state: 'ready', connections: 3, tunnels: 1, restarts: 5 }])
  assert.deepEqual(found.listeners, [{ name: 'web', addresses: ['http://127.0.0.1:80'], protocol: 'http', connections: 3 }])
  assert.equal(found.upstreams[0]?.servers[0]?.checks, '++-+')
})
