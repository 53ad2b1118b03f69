import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileSplit } from '../../../src/worker/route/split.ts'

test('one upstream gets everything', () => {
  const split = compileSplit([{ upstream: 'a', share: 1 }])
  assert.equal(split.choose(0), 0)
  assert.equal(split.choose(0.999999), 0)
})

test('each upstream gets its share of evenly spread numbers', () => {
  const split = compileSplit([
    { upstream: 'a', share: 0.9 },
    { upstream: 'b', share: 0.07 },
    { upstream: 'c', share: 0.03 },
  ])
  const counts = [0, 0, 0]
  for (let i = 0; i < 10_000; i++) counts[split.choose((i + 0.5) / 10_000)]!++
  assert.deepEqual(counts, [9000, 700, 300])
})

test('shares count in proportion, and a share of 0 gets nothing', () => {
  const split = compileSplit([
    { upstream: 'z', share: 0 },
    { upstream: 'a', share: 3 },
    { upstream: 'b', share: 1 },
    { upstream: 'y', share: 0 },
  ])
  assert.deepEqual(
    [0, 0.74, 0.76, 1 - 2 ** -53].map((random) => split.choose(random)),
    [1, 1, 2, 2],
  )
})

test('every number chooses an upstream that has a share', () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(shares, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, random) => {
      fc.pre(list.some((share) => share > 1e-9))
      const chosen = compileSplit(list.map((share, i) => ({ upstream: `u${i}`, share }))).choose(random)
      assert.ok((list[chosen] ?? 0) > 0)
    }),
  )
})
