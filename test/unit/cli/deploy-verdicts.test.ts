import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capacityBeside } from '../../../src/cli/deploy/capacity.ts'
import { p99Ms, performanceBetween, performanceUntil, whyHopeless, whyWorse } from '../../../src/cli/deploy/soak-verdict.ts'
import type { ServerFigures, ServerStatus, UpstreamStatus } from '../../../src/shared/control/data.ts'
import { server } from './lib/samples.ts'

const upstream = (...servers: ServerStatus[]): UpstreamStatus => ({
  name: 'api',
  balance: 'random',
  breaker: 1,
  waiting: 0,
  usable: 0,
  servers,
})
const beside = (floor: number, without: string[], ...servers: ServerStatus[]) =>
  capacityBeside(upstream(...servers), { without: new Set(without), floor }).at
const [a, b, c] = [server('api/a'), server('api/b'), server('api/c')]

test('half of the weight is enough for a floor of half', () => {
  assert.equal(beside(0.5, ['api/a'], a, b), 'enough')
  assert.equal(beside(0.5, ['api/a', 'api/b'], a, b, c), 'below')
  assert.equal(beside(0.5, ['api/b'], a, server('api/b', { weight: 3 })), 'below')
})

test('one server has to be left, whatever the floor', () => {
  assert.equal(beside(0, ['api/a'], a), 'below')
  assert.equal(beside(0, ['api/a'], a, server('api/b', { weight: 0 })), 'below')
  assert.equal(beside(0, ['api/a'], a, b), 'enough')
})

for (const state of ['down', 'unknown', 'probing', 'ejected', 'draining', 'drained', 'maint'] as const) {
  test(`a server that is ${state} carries nothing`, () => {
    assert.equal(beside(0.1, ['api/a'], a, server('api/b', { state })), 'below')
  })
}

test('a server in its slow start is waited for, unless the others are enough', () => {
  const warm = server('api/b', { state: 'warming' })
  assert.equal(beside(0.5, ['api/a'], a, warm), 'warming')
  assert.equal(beside(0.3, ['api/a'], a, warm, c), 'enough')
})

test('the weight in force counts, against the weight of the config', () => {
  assert.equal(beside(0.5, ['api/a'], a, server('api/b', { weightShare: 0.5 }), c), 'enough')
  assert.equal(beside(0.5, ['api/a'], a, server('api/b', { weightShare: 0.4 }), c), 'below')
})

test('backups are a last resort, not capacity', () => {
  const backup = server('api/x', { isBackup: true, weight: 10 })
  assert.equal(beside(0.5, ['api/a'], a, backup), 'below')
  assert.equal(beside(0, ['api/a'], a, backup), 'enough')
  assert.equal(beside(0.5, ['api/x'], a, backup), 'enough')
})

test('three tenths and seven tenths are a whole', () => {
  const share = (id: string, weightShare: number) => server(id, { weightShare })
  assert.equal(beside(0.2, ['api/c'], share('api/a', 0.1), share('api/b', 0.2), c, server('api/d', { weight: 0 })), 'below')
  assert.equal(beside(0.1, ['api/c'], share('api/a', 0.1), share('api/b', 0.2), c), 'enough')
})

function figures(id: string, ended: number, failures = 0, counts: Record<string, number> = {}): ServerFigures {
  return { id, exchanges: ended, successes: ended - failures, failures, firstByteCounts: counts }
}

const done = (ended: number, failures = 0, counts: Record<string, number> = {}) =>
  performanceUntil([figures('x', ended, failures, counts)], new Set(['x']))
const tolerance = { maxFailures: 0.01, maxSlowdown: 3 }

test('only what came between two readings counts, of the servers asked for', () => {
  const before = [figures('x', 100, 50, { 1000: 100 }), figures('y', 10)]
  const after = [figures('x', 300, 51, { 1000: 120, 2000: 180 }), figures('y', 40)]
  const between = performanceBetween(before, after, new Set(['x']))
  assert.deepEqual(
    [between.exchanges, between.failures, [...between.firstBytes]],
    [
      200,
      1,
      [
        [1000, 20],
        [2000, 180],
      ],
    ],
  )
  assert.equal(performanceBetween(before, after, new Set(['x', 'y'])).exchanges, 230)
})

test('counters that went back begin anew', () => {
  assert.equal(performanceBetween([figures('x', 1_000, 10)], [figures('x', 30, 2)], new Set(['x'])).exchanges, 30)
})

test('the p99 is the bucket in which the 99th of a hundred is', () => {
  assert.equal(p99Ms(done(100, 0, { 1000: 98, 5000: 1, 9000: 1 })), 5)
  assert.equal(p99Ms(done(100, 0, { 9000: 2, 1000: 98 })), 9)
  assert.equal(p99Ms(done(0)), null)
})

test('failures count from twenty requests on', () => {
  assert.equal(whyWorse(done(19, 19), done(1_000), tolerance), null)
  assert.match(whyWorse(done(20, 1), done(1_000), tolerance) ?? '', /1 of 20 requests failed \(5%\), allowed are 1%/)
  assert.equal(whyWorse(done(100, 1), done(1_000), tolerance), null)
  assert.notEqual(whyWorse(done(100, 2), done(1_000), tolerance), null)
})

test('where the others fail as well, two points above them are accepted', () => {
  assert.equal(whyWorse(done(100, 6), done(100, 5), tolerance), null)
  assert.equal(whyWorse(done(100, 7), done(100, 5), tolerance), null)
  assert.match(whyWorse(done(100, 8), done(100, 5), tolerance) ?? '', /allowed are 7%/)
  assert.notEqual(whyWorse(done(100, 6), done(19, 19), tolerance), null)
})

test('a p99 has to be both several times and 50 ms above that of the others, over fifty responses each', () => {
  const at = (ms: number, count = 50) => done(count, 0, { [ms * 1000]: count })
  assert.equal(whyWorse(at(60), at(11), tolerance), null)
  assert.match(whyWorse(at(62), at(11), tolerance) ?? '', /p99 to the first byte is 62\.0 ms, of the others 11\.0 ms/)
  assert.equal(whyWorse(at(290), at(100), tolerance), null)
  assert.equal(whyWorse(at(900, 49), at(11), tolerance), null)
  assert.equal(whyWorse(at(900), at(11, 49), tolerance), null)
})

test('a server that fails more than half of twenty requests is hopeless', () => {
  assert.equal(whyHopeless(done(19, 19)), null)
  assert.equal(whyHopeless(done(20, 10)), null)
  assert.match(whyHopeless(done(20, 11)) ?? '', /11 of 20/)
})
