import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Lru } from '../../../src/cli/bench/lru.ts'
import { seededRandom } from '../../../src/cli/bench/seeded-random.ts'
import { WorkQueue } from '../../../src/cli/bench/work-queue.ts'
import { zipf } from '../../../src/cli/bench/zipf.ts'

test('a cache holds what was asked for last, and no more than it may', () => {
  const cache = new Lru(2)
  assert.deepEqual(
    ['a', 'b', 'a', 'c', 'a', 'b'].map((key) => cache.touch(key)),
    [false, false, true, false, true, false],
  )
  assert.equal(cache.size, 2)
  cache.clear()
  assert.equal(cache.touch('b'), false)
})

test('a cache answers as a list of the last different keys would', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 200 }), (most, keys) => {
      const cache = new Lru(most)
      let last: number[] = []
      for (const key of keys) {
        assert.equal(cache.touch(String(key)), last.includes(key))
        last = [key, ...last.filter((one) => one !== key)].slice(0, most)
      }
    }),
  )
})

test('a server works on so many at a time, and the others wait in their order', () => {
  const queue = new WorkQueue(2)
  assert.deepEqual([queue.admit(0, 10), queue.admit(0, 4), queue.admit(1, 5), queue.admit(2, 5), queue.admit(50, 1)], [10, 4, 9, 14, 51])
})

test('a server never works on more than it can, nor idles while something waits', () => {
  const jobs = fc.array(fc.record({ gap: fc.integer({ min: 0, max: 20 }), takes: fc.integer({ min: 1, max: 30 }) }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), jobs, (atOnce, list) => {
      const queue = new WorkQueue(atOnce)
      let now = 0
      const done = list.map(({ gap, takes }) => {
        now += gap
        const end = queue.admit(now, takes)
        return { came: now, begun: end - takes, end }
      })
      for (const [i, { came, begun }] of done.entries()) {
        const busy = done.slice(0, i).filter((one) => one.begun <= begun && one.end > begun).length
        assert.ok(busy < atOnce)
        if (begun > came)
          assert.ok(
            done.slice(0, i).some(({ end }) => end === begun),
            'it began when a place was free',
          )
      }
    }),
  )
})

test('keys are drawn as often as the law of Zipf says', () => {
  const [count, draws, exponent] = [100, 50_000, 0.8]
  const draw = zipf(count, exponent, seededRandom(3))
  const seen = new Array<number>(count).fill(0)
  for (let i = 0; i < draws; i++) seen[draw()]!++
  const sum = seen.reduce((total, _, key) => total + 1 / (key + 1) ** exponent, 0)
  for (const key of [0, 1, 9, 49]) {
    const expected = draws / ((key + 1) ** exponent * sum)
    assert.ok(Math.abs(seen[key]! - expected) < 6 * Math.sqrt(expected), `key ${key}: ${seen[key]}, expected ${expected}`)
  }
  assert.ok(seen.every((times) => times > 0))
})
