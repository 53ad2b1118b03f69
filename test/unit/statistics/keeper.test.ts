import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { abi } from '../../../src/native/abi.ts'
import { figure, Keeper } from '../../../src/primary/statistics/keeper.ts'
import { quantilesOf } from '../../../src/primary/statistics/quantiles.ts'
import { BUCKETS } from '../../../src/primary/statistics/series-history.ts'
import { windowStart } from '../../../src/primary/statistics/windows.ts'
import type { WindowName } from '../../../src/shared/statistics/live.ts'
import { boundOf, bucketOf, WrittenBoard } from './lib/written-board.ts'

const { phase, serverCounter, termination, workerCounter } = abi

function countsOf(keeper: Keeper, window: WindowName, row = 0, number: number = phase.total): Float64Array {
  const counts = new Float64Array(BUCKETS)
  keeper.addCounts('server', row, number, window, counts)
  return counts
}

const all = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0)

function kept(columns = 2): { board: WrittenBoard; keeper: Keeper } {
  const board = new WrittenBoard(columns)
  const keeper = new Keeper({ reader: board.view })
  keeper.watch([{ of: 'server', row: 0, id: 'api/a' }])
  return { board, keeper }
}

/** The value at a rank, as HdrHistogram defines it: the smallest that this share of all values does not exceed. */
function exact(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length - 1e-9)) - 1] as number
}

test('quantiles of all workers in each window are those of the exact values, within one bucket', () => {
  const step = fc.record({
    pauseMs: fc.integer({ min: 1, max: 9_000 }),
    values: fc.array(fc.record({ column: fc.nat(1), us: fc.oneof(fc.nat(300), fc.nat(20_000), fc.nat(60_000_000)) }), { maxLength: 30 }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(1e9), (steps, startMs) => {
      const { board, keeper } = kept()
      let nowMs = startMs
      keeper.tick(nowMs)
      const seen: { atMs: number; us: number }[] = []
      for (const { pauseMs, values } of steps) {
        nowMs += pauseMs
        for (const { column, us } of values) {
          board.record(column, 'server', 0, phase.total, us)
          seen.push({ atMs: nowMs, us })
        }
        keeper.tick(nowMs)
      }
      for (const window of ['10s', '1m', '5m', 'total'] as const) {
        const since = window === 'total' ? Number.NEGATIVE_INFINITY : windowStart(window, nowMs)
        const sorted = seen.filter(({ atMs }) => atMs >= since).map(({ us }) => us)
        sorted.sort((a, b) => a - b)
        const found = quantilesOf(countsOf(keeper, window))
        if (sorted.length === 0) {
          assert.equal(found, null)
          continue
        }
        assert.equal(found?.count, sorted.length)
        assert.equal(found.p50, boundOf(exact(sorted, 50)))
        assert.equal(found.p99, boundOf(exact(sorted, 99)))
        assert.equal(found.p999, boundOf(exact(sorted, 99.9)))
        assert.equal(found.max, boundOf(sorted.at(-1) as number))
      }
    }),
    { numRuns: 60, seed: 7 },
  )
})

test('a count that wraps at 32 bits goes on', () => {
  const { board, keeper } = kept(1)
  board.record(0, 'server', 0, phase.total, 100, 2 ** 32 - 3)
  keeper.tick(0)
  board.record(0, 'server', 0, phase.total, 100, 10)
  keeper.tick(2_000)
  assert.equal(countsOf(keeper, 'total')[bucketOf(100)], 2 ** 32 + 7)
  assert.equal(all(countsOf(keeper, '10s')), 10)
  assert.equal(keeper.series('server', 0, phase.total)?.count, 2 ** 32 + 7)
})

test('a row that was zeroed for another occupant begins anew, also where nobody said so', () => {
  const { board, keeper } = kept()
  board.record(0, 'server', 0, phase.total, 5_000, 50)
  board.record(1, 'server', 0, phase.total, 40, 50)
  keeper.tick(0)
  board.clear('server', 0)
  board.record(0, 'server', 0, phase.total, 40, 200)
  keeper.tick(2_000)
  assert.equal(all(countsOf(keeper, 'total')), 200)
  assert.equal(countsOf(keeper, 'total')[bucketOf(40)], 200)
  assert.equal(all(countsOf(keeper, '10s')), 200)
})

test('another occupant of a row shares nothing with the one before, and who leaves is told of', () => {
  const board = new WrittenBoard(1)
  const left: [string, number | undefined][] = []
  const keeper = new Keeper({ reader: board.view, onLeave: (id, series) => left.push([id, series[phase.total]?.count]) })
  keeper.watch([{ of: 'server', row: 0, id: 'api/a' }])
  board.record(0, 'server', 0, phase.total, 10, 3)
  keeper.tick(0)
  board.clear('server', 0)
  keeper.watch([{ of: 'server', row: 0, id: 'api/b' }])
  board.record(0, 'server', 0, phase.total, 10, 1)
  keeper.tick(2_000)
  assert.deepEqual(left, [['api/a', 3]])
  assert.equal(all(countsOf(keeper, 'total')), 1)
})

test('what was there at the first look is in the total and in no window', () => {
  const { board, keeper } = kept()
  board.record(0, 'server', 0, phase.total, 10, 5)
  board.server(0, 0, serverCounter.successes, 5)
  keeper.tick(1_000_000)
  assert.equal(all(countsOf(keeper, 'total')), 5)
  assert.equal(all(countsOf(keeper, '10s')), 0)
  const figures = new Float64Array(figure.count)
  keeper.addFigures('server', 0, '1m', figures)
  assert.equal(figures[figure.requests], 0)
})

test('figures of a window are what came in it, and a worker that is replaced takes nothing back', () => {
  const { board, keeper } = kept()
  board.server(0, 0, serverCounter.successes, 100)
  keeper.tick(0)
  board.server(0, 0, serverCounter.successes, 104)
  board.server(1, 0, serverCounter.failures, 2)
  board.server(1, 0, serverCounter.bytesSent, 640)
  board.worker(0, workerCounter.terminations + termination.clientAbort, 3)
  keeper.tick(2_000)
  keeper.tick(9_000)
  const read = (window: WindowName) => {
    const figures = new Float64Array(figure.count)
    keeper.addFigures('server', 0, window, figures)
    return [...figures]
  }
  assert.deepEqual(read('10s'), [6, 2, 640, 0])
  assert.deepEqual(read('total'), [106, 2, 640, 0])
  assert.equal(keeper.terminations('1m')[termination.clientAbort], 3)
  keeper.tick(13_000)
  assert.deepEqual(read('10s'), [0, 0, 0, 0])
  assert.deepEqual(read('1m'), [6, 2, 640, 0])
})

test('a window covers no more time than there was', () => {
  const { keeper } = kept()
  keeper.tick(100_500)
  keeper.tick(103_500)
  assert.equal(keeper.coveredMs('5m'), 3_000)
  keeper.tick(130_500)
  assert.equal(keeper.coveredMs('10s'), 8_500)
})

test('histograms of 1,000 servers on 2 workers stay within the budget of docs/metrics.md', async () => {
  const board = new WrittenBoard(2)
  const keeper = new Keeper({ reader: board.view })
  keeper.watch(Array.from({ length: 1_000 }, (_, row) => ({ of: 'server', row, id: `api/${row}` })))
  keeper.tick(0)
  const before = await memory()
  // Times over three powers of two, in every slot that there can be.
  const moments = [
    ...range(0, 4).map((i) => i * 60_000),
    ...range(0, 5).map((i) => 240_000 + i * 10_000),
    ...range(1, 5).map((i) => 290_000 + i * 2_000),
  ]
  for (const nowMs of moments) {
    for (let row = 0; row < 1_000; row++)
      for (let number = 0; number < phase.count; number++)
        for (let i = 0; i < 12; i++) board.record(i % 2, 'server', row, number, ((row * 7 + i * 131 + nowMs / 1_000) % 900) + 100)
    keeper.tick(nowMs)
  }
  const grown = (await memory()) - before
  assert.ok(keeper.bytes < 64 * 2 ** 20, `it says ${keeper.bytes}`)
  assert.ok(grown < 64 * 2 ** 20, `it takes ${grown}`)
  assert.ok(keeper.bytes > grown * 0.6 && keeper.bytes < grown * 1.7, `it says ${keeper.bytes} and takes ${grown}`)
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Without garbage, which is no use of memory; boards of other tests are freed some turns after they are garbage. */
async function memory(): Promise<number> {
  setFlagsFromString('--expose-gc')
  for (let round = 0; round < 3; round++) {
    runInNewContext('gc')()
    await new Promise(setImmediate)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
