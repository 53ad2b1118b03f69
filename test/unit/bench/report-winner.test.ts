import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isToldApart, leadersByCount } from '../../../src/cli/bench/report/told-apart.ts'
import { winnerOf } from '../../../src/cli/bench/report/winner.ts'
import type { PolicyResult } from '../../../src/cli/bench/result.ts'
import { fleetOf, normal, policyOf, type Random, randomOf, roundOf } from './lib/made-up.ts'

const RUNS = 2_000
const histogram = roundOf(1).histogram

function policies(count: number, rounds: number, p99: (policy: number) => number): PolicyResult[] {
  return Array.from({ length: count }, (_, index) =>
    policyOf(
      `p${index}`,
      Array.from({ length: rounds }, () =>
        roundOf(1, { histogram, latency: { p50: 1, p90: 2, p99: p99(index), p999: 9, max: 10, mean: 1 } }),
      ),
    ),
  )
}

/** Share of runs in which somebody won alone. */
function named(count: number, rounds: number, sample: (random: Random) => number): number {
  const random = randomOf(count * 100 + rounds)
  let wins = 0
  for (let run = 0; run < RUNS; run++)
    wins += winnerOf(fleetOf(policies(count, rounds, () => sample(random))))?.policies.length === 1 ? 1 : 0
  return wins / RUNS
}

const noises: Record<string, (random: Random) => number> = {
  uniform: (random) => 10 + random(),
  normal: (random) => 10 + normal(random),
  'log-normal': (random) => 10 * Math.exp(normal(random) / 2),
}

for (const [name, sample] of Object.entries(noises)) {
  test(`equal policies with ${name} noise hardly ever have a winner`, () => {
    for (const [count, rounds, most] of [
      [2, 2, 0.07],
      [2, 3, 0.05],
      [2, 5, 0.01],
      [8, 3, 0.005],
      [8, 5, 0.005],
    ] as const) {
      const share = named(count, rounds, sample)
      assert.ok(share <= most, `${count} policies, ${rounds} rounds: ${share}`)
    }
  })
}

test('a policy that is better by far more than the noise always wins', () => {
  const random = randomOf(5)
  for (let run = 0; run < 300; run++) {
    const fleet = fleetOf(policies(6, 3, (index) => (index === 4 ? 10 : 20) * (0.98 + 0.04 * random())))
    const winner = winnerOf(fleet)
    assert.deepEqual({ metric: winner?.metric, policies: winner?.policies }, { metric: 'p99', policies: ['p4'] })
    assert.match(winner?.text ?? '', /^p4 has the lowest p99: \S+ ms ±\S+%, (4\d|5\d)% below the next \(p\d, \S+ ms\)\.$/)
  }
})

test('two good ones that cannot be told apart are both named, and those behind them are not', () => {
  const values = [
    [10, 10.6, 10.3],
    [10.2, 10.5, 10.1],
    [20, 20.5, 20.1],
  ]
  const fleet = fleetOf(
    values.map((p99s, index) =>
      policyOf(
        `p${index}`,
        p99s.map((p99) => roundOf(p99)),
      ),
    ),
  )
  assert.deepEqual(winnerOf(fleet), {
    metric: 'p99',
    policies: ['p1', 'p0'],
    text: 'p1 and p0 cannot be told apart by p99 (10.2 to 10.3 ms); the best of the others: p2, 20.1 ms.',
  })
})

test('one round names nobody and says why', () => {
  const winner = winnerOf(fleetOf([policyOf('a', [roundOf(5)]), policyOf('b', [roundOf(50)])]))
  assert.deepEqual(winner, { metric: 'p99', policies: [], text: 'Nobody is named, as one round has no spread: p99 is 5.00 to 50.0 ms.' })
})

test('nothing is said of a policy alone, or of one that was not measured', () => {
  assert.equal(winnerOf(fleetOf([])), null)
  assert.equal(winnerOf(fleetOf([policyOf('a', [roundOf(5), roundOf(5)]), policyOf('b', [])])), null)
})

test('errors decide before latency', () => {
  const slow = policyOf(
    'slow',
    [40, 41, 40].map((p99) => roundOf(p99)),
  )
  const failing = policyOf(
    'failing',
    [5, 5, 5].map((p99, index) => roundOf(p99, { errors: 40 + index })),
  )
  assert.deepEqual(winnerOf(fleetOf([failing, slow])), {
    metric: 'errors',
    policies: ['slow'],
    text: 'slow has the fewest errors: none, the others 123 and more.',
  })
})

test('a single error is chance', () => {
  assert.equal(
    leadersByCount([
      { name: 'a', values: [0, 0, 0] },
      { name: 'b', values: [1, 1, 1] },
    ]).length,
    2,
  )
  assert.equal(
    leadersByCount([
      { name: 'a', values: [0, 0, 0] },
      { name: 'b', values: [9, 9, 9] },
    ]).length,
    1,
  )
})

test('on a fleet with caches hits and p99 are told, and hits decide between those of the same p99', () => {
  const rounds = (p99s: number[], hits: number) => p99s.map((p99, index) => roundOf(p99, { cacheHits: hits + index / 1000 }))
  const winner = winnerOf(
    fleetOf([
      policyOf('ring', rounds([10, 10.5, 10.2], 0.8)),
      policyOf('first', rounds([10.1, 10.4, 10.2], 0.7)),
      policyOf('random', rounds([30, 31, 30], 0.2)),
    ]),
  )
  assert.deepEqual({ metric: winner?.metric, policies: winner?.policies }, { metric: 'cacheHits', policies: ['ring'] })
  assert.match(winner?.text ?? '', /p99 \(10\.2 to 10\.2 ms\).* Most cache hits: ring \(80\.1%\)\.$/)
})

test('one round, touching ranges and tiny differences tell nothing apart', () => {
  assert.equal(isToldApart([1], [100]), false)
  assert.equal(isToldApart([1, 3, 2], [3, 5, 4]), false)
  assert.equal(isToldApart([100, 100, 100], [101, 101, 101]), false)
  assert.equal(isToldApart([100, 100, 100], [103, 103, 103]), true)
})
