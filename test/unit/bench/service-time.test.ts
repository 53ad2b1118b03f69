import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom, seedOf } from '../../../src/cli/bench/seeded-random.ts'
import { meanMs, type ServiceTime, sampler } from '../../../src/cli/bench/service-time.ts'

const DRAWS = 20_000

function draws(time: ServiceTime, seed: number): number[] {
  const draw = sampler(time, seededRandom(seed))
  return Array.from({ length: DRAWS }, draw).toSorted((a, b) => a - b)
}

const at = (sorted: readonly number[], share: number) => sorted[Math.floor(share * sorted.length)] as number

/** Within so many shares of what is expected. */
function near(actual: number, expected: number, share: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= share * expected, `${what}: ${actual}, expected ${expected}`)
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 })

test('an exponential time has the quantiles of its distribution, whatever the seed', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 500 }), (seed, mean) => {
      const sorted = draws({ kind: 'exponential', meanMs: mean }, seed)
      for (const share of [0.5, 0.9, 0.99]) near(at(sorted, share), -mean * Math.log(1 - share), 0.12, `p${share * 100}`)
    }),
    { numRuns: 20 },
  )
})

test('a log-normal time has the quantiles of its distribution and the mean that was asked for', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const sorted = draws({ kind: 'log-normal', meanMs: 20, sigma: 1, mostMs: 100_000 }, seed)
      // Of the standard normal distribution.
      for (const [share, z] of [
        [0.5, 0],
        [0.9, 1.2816],
        [0.99, 2.3263],
      ] as const)
        near(at(sorted, share), 20 * Math.exp(z - 0.5), 0.12, `p${share * 100}`)
      near(sorted.reduce((sum, value) => sum + value, 0) / DRAWS, 20, 0.1, 'mean')
    }),
    { numRuns: 10 },
  )
})

test('nothing takes longer than the longest', () => {
  const sorted = draws({ kind: 'log-normal', meanMs: 20, sigma: 2, mostMs: 300 }, 1)
  assert.equal(sorted.at(-1), 300)
})

test('a measured time comes back as it was measured', () => {
  const time: ServiceTime = {
    kind: 'measured',
    points: [
      { atMostMs: 1, count: 50 },
      { atMostMs: 10, count: 49 },
      { atMostMs: 500, count: 1 },
    ],
  }
  const sorted = draws(time, 7)
  near(at(sorted, 0.25), 1, 0.02, 'p25')
  near(at(sorted, 0.75), 10, 0.02, 'p75')
  near(at(sorted, 0.995), 500, 0.02, 'p99.5')
  near(sorted.filter((ms) => ms > 20).length / DRAWS, 0.01, 0.3, 'share of the slow ones')
  near(meanMs(time), 0.5 + 4.9 + 5, 0.02, 'mean')
})

test('the same seed draws the same times, another one others', () => {
  const time: ServiceTime = { kind: 'exponential', meanMs: 10 }
  assert.deepEqual(draws(time, 5), draws(time, 5))
  assert.notDeepEqual(draws(time, 5), draws(time, 6))
  assert.notEqual(seedOf(1, 'equal', 0), seedOf(1, 'equal', 1))
  assert.equal(seedOf(1, 'equal', 1), seedOf(1, 'equal', 1))
})
