import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedResults } from '../../../src/primary/statistics/shared-result.ts'

function shop() {
  const made: { key: string; give: (value: string) => void; fail: (error: Error) => void }[] = []
  const clock = { nowMs: 0 }
  const results = new SharedResults<string, string>((key) => new Promise((give, fail) => made.push({ key, give, fail })), {
    now: () => clock.nowMs,
    freshMs: (tookMs) => tookMs * 2,
  })
  return { made, clock, results }
}

test('who asks while one is made, or soon after, gets the same', async () => {
  const { made, clock, results } = shop()
  const [one, other, another] = [results.get('a'), results.get('a'), results.get('b')]
  clock.nowMs = 100
  made[0]?.give('first')
  made[1]?.give('of b')
  assert.deepEqual(await Promise.all([one, other, another]), ['first', 'first', 'of b'])
  clock.nowMs = 299
  assert.equal(await results.get('a'), 'first')
  clock.nowMs = 300
  const next = results.get('a')
  made[2]?.give('second')
  assert.equal(await next, 'second')
  assert.deepEqual(
    made.map(({ key }) => key),
    ['a', 'b', 'a'],
  )
})

test('a failure is told to all who asked, and the next one tries again', async () => {
  const { made, results } = shop()
  const asked = [results.get('a'), results.get('a')]
  made[0]?.fail(new Error('no'))
  for (const one of asked) await assert.rejects(one, /no/)
  const next = results.get('a')
  made[1]?.give('yes')
  assert.equal(await next, 'yes')
})
