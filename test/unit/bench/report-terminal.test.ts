import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetTable } from '../../../src/cli/bench/report/terminal.ts'
import { fleetOf, policyOf, roundOf } from './lib/made-up.ts'

const fast = policyOf(
  'least-time',
  [10, 11, 10.5].map((p99) => roundOf(p99)),
  true,
)
const slow = policyOf(
  'random',
  [40, 44, 42].map((p99, index) => roundOf(p99, { errors: index, retries: 1_200, queueMs: 8_000, fairness: 0.5 })),
)
const fleet = fleetOf([slow, fast], { notes: ['The load generator used 93 % of its core.'] })

test('a fleet is a table with medians, spread, the winner and the notes', () => {
  assert.equal(
    fleetTable(fleet),
    `equal: Two servers of one kind.
1,000 requests/s over 64 connections, latency in ms, queue in ms per request, CPU in us per request
   policy                   p50       p90       p99     p99.9       max   fair  errors  retries  queue       CPU
   random              10.5 ±5%  21.0 ±5%  42.0 ±5%  84.0 ±5%   126 ±5%  0.500  0.025%    1,200   2.00  30.0 ±0%
*  least-time (yours)  2.63 ±5%  5.25 ±5%  10.5 ±5%  21.0 ±5%  31.5 ±5%  1.000      0%        0      0  30.0 ±0%
* least-time has the lowest p99: 10.5 ms ±5%, 75% below the next (random, 42.0 ms).
note: The load generator used 93 % of its core.
`,
  )
})

test('what is the best by more than the spread is green, and only where there is colour', () => {
  const inked = fleetTable(fleet, { width: null, hasColour: true })
  assert.ok(inked.includes('\u001b[32m10.5 ±5%\u001b[39m'))
  assert.ok(!inked.includes('\u001b[32m42.0'))
  assert.ok(!fleetTable(fleet).includes('\u001b'))
})

test('a narrow screen gets fewer columns, but none that is cut', () => {
  const lines = (width: number) => fleetTable(fleet, { width, hasColour: false }).split('\n').slice(2, 5)
  assert.equal(lines(100)[2], '*  least-time (yours)  2.63  5.25  10.5   21.0  31.5  1.000      0%        0      0  30.0')
  assert.equal(lines(70)[0], '   policy               p50   p99  p99.9  errors  queue   CPU')
  for (const line of lines(70)) assert.ok(line.length <= 70 && !line.includes('…'))
})

test('cache hits have a column where servers have caches', () => {
  assert.ok(!fleetTable(fleet).includes('hits'))
  const cached = fleetTable(fleetOf([policyOf('first', [roundOf(1, { cacheHits: 0.5 })]), policyOf('random', [])]))
  assert.match(cached, /queue {3}hits +CPU\n/)
  assert.match(cached, / 50\.0% /)
  assert.match(cached, /random +- +-/)
})

test('names from configs do not steer the terminal', () => {
  assert.ok(!fleetTable(fleetOf([policyOf('\u001b[31mred', [roundOf(1)])], { name: 'a\u001b[2J' })).includes('\u001b'))
})
