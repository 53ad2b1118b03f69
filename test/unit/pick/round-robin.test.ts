import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'
import { board, context, counted, picker as newPicker, servers, setLoad, state } from './fixtures.ts'

function picks(picker: UpstreamPicker, count: number, view = board(2000), excluded: number[] = []): number[] {
  const at = context(view, { excluded })
  return Array.from({ length: count }, () => picker.pick(at))
}

test('weights 5, 1, 1 give a a b a c a a', () => {
  const picker = newPicker('round-robin', servers([5, 1, 1]))
  assert.equal(
    picks(picker, 14)
      .map((slot) => 'abc'[slot])
      .join(''),
    'aabacaa'.repeat(2),
  )
})

test('equal servers come in their order', () => {
  assert.deepEqual(picks(newPicker('round-robin', servers([1, 1, 1])), 6), [0, 1, 2, 0, 1, 2])
  const many = newPicker('round-robin', servers(new Array(100).fill(7)))
  assert.deepEqual(
    picks(many, 200),
    Array.from({ length: 200 }, (_, i) => i % 100),
  )
})

test('start begins the rotation further on', () => {
  assert.deepEqual(picks(newPicker('round-robin', servers([1, 1, 1]), { start: 2 }), 3), [2, 0, 1])
  assert.equal(picks(newPicker('round-robin', servers(new Array(100).fill(1)), { start: 130 }), 1)[0], 30)
})

test('over one round each server gets exactly its weight', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((sum, weight) => sum + weight, 0)
      const picked = picks(newPicker('round-robin', servers(list)), total)
      assert.deepEqual(counted(picked, list.length), list)
    }),
    { numRuns: 300 },
  )
})

test('a large group follows its weights within one pick', () => {
  const weights = Array.from({ length: 100 }, (_, i) => 1 + (i % 7))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = counted(picks(newPicker('round-robin', servers(weights)), total * 3), 100)
  for (const [i, count] of counts.entries()) assert.ok(Math.abs(count - weights[i]! * 3) <= 1, `server ${i}: ${count}`)
})

test('a heavy server of a large group is not picked in bursts', () => {
  const weights = [99, ...new Array<number>(99).fill(1)]
  const picked = picks(newPicker('round-robin', servers(weights)), 198)
  // 99 of 198 turns: half of any stretch of 20 up to the ties of the small ones, which are all due at once.
  assert.equal(counted(picked, 100)[0], 99)
})

for (const size of [3, 100]) {
  test(`${size} servers: those that are down, weightless, full, distrusted or tried before are passed over`, () => {
    const list = servers(new Array(size).fill(1), { 2: { maxConnections: 5 } })
    const view = board(size)
    const picker = newPicker('round-robin', list)
    const others = () => new Set(picks(picker, size * 2, view))
    setLoad(view, 2, 5)
    assert.ok(!others().has(2))
    setLoad(view, 2, 4)
    assert.ok(others().has(2))
    picker.apply(state(1, { health: 'down' }))
    assert.ok(!others().has(1))
    picker.apply(state(1))
    picker.apply(state(1, { weightShare: 0 }))
    assert.ok(!others().has(1))
    picker.apply(state(1, { weightShare: 1 }))
    assert.ok(others().has(1))
    assert.ok(!picks(picker, size * 2, view, [0]).includes(0))
    picker.distrust(0, 1)
    assert.ok(!others().has(0))
    assert.equal(new Set(Array.from({ length: size * 2 }, () => picker.pick(context(view, { now: 1 })))).size, size)
  })
}

test('when all but one of many are full, that one is found', () => {
  const view = board(1000)
  const picker = newPicker(
    'round-robin',
    servers(new Array(1000).fill(1), Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, { maxConnections: 1 }]))),
  )
  for (let slot = 0; slot < 1000; slot++) setLoad(view, slot, slot === 777 ? 0 : 1)
  assert.deepEqual(new Set(picks(picker, 50, view)), new Set([777]))
  setLoad(view, 777, 1)
  assert.deepEqual(picks(picker, 2, view), [-1, -1])
})

test('one server that goes and comes back does not start the rotation again', () => {
  const picker = newPicker('round-robin', servers(new Array(100).fill(1)))
  assert.deepEqual(picks(picker, 3), [0, 1, 2])
  picker.apply(state(50, { health: 'down' }))
  picker.apply(state(50))
  assert.deepEqual(picks(picker, 3), [3, 4, 5])
  for (let i = 0; i < 300; i++) {
    picker.apply(state(50, { health: i % 2 === 0 ? 'up' : 'down' }))
    picks(picker, 1)
  }
  picker.apply(state(50))
  const counts = counted(picks(picker, 1000), 100)
  assert.ok(Math.min(...counts) >= 9 && Math.max(...counts) <= 11, `${counts}`)
})
