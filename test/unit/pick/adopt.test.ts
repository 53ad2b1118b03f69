import assert from 'node:assert/strict'
import { test } from 'node:test'
import { board, context, counted, picker, picks, servers, state } from './fixtures.ts'

for (const name of ['round-robin', 'least-connections'] as const) {
  for (const size of [5, 100]) {
    test(`${name}, ${size} servers: the rotation goes on after a change`, () => {
      const list = servers(new Array(size).fill(1))
      const old = picker(name, list)
      const at = context(board(size + 1))
      assert.deepEqual(picks(old, 3, at), [0, 1, 2])
      const same = picker(name, list)
      same.adopt(old)
      assert.deepEqual(picks(same, 2, at), [3, 4])
      const fewer = picker(name, list.slice(1))
      fewer.adopt(same)
      assert.equal(fewer.pick(at), size === 5 ? 1 : 5)
    })
  }
}

test('weighted turns go on where they were', () => {
  const at = context(board(3))
  const old = picker('round-robin', servers([5, 1, 1]))
  const letters = (from: typeof old, count: number) =>
    picks(from, count, at)
      .map((slot) => 'abc'[slot])
      .join('')
  assert.equal(letters(old, 3), 'aab')
  const from = picker('round-robin', servers([5, 1, 1]))
  from.adopt(old)
  assert.equal(letters(from, 4), 'acaa')
})

test('states and distrust are known by id, also in another slot, tier or place', () => {
  const old = picker('round-robin', servers([1, 1, 1, 1]), { initial: 'hold' })
  for (const slot of [0, 1, 3]) old.apply(state(slot))
  old.apply(state(2, { admin: 'drain' }))
  old.distrust(3, 100)
  const [a, b, c, d] = servers([1, 1, 1, 1]) as [never, never, never, never]
  const moved = [
    { ...(c as object), slot: 7 },
    { ...(b as object), tier: 1 },
    d,
    a,
    { ...(a as object), id: 'new', slot: 9 },
  ] as (typeof a)[]
  const from = picker('least-connections', moved, { initial: 'hold' })
  from.adopt(old)
  assert.deepEqual(from.counts(), { usable: 3, ejected: 0, down: 0, draining: 1, unknown: 1 })
  const at = context(board(10), { now: 50 })
  assert.deepEqual(new Set(picks(from, 9, at)), new Set([0]))
  assert.equal(from.pickNamed(7, at), true)
  assert.equal(from.pickNamed(3, at), false)
})

test('a slow start goes on', () => {
  const options = { slowStart: { ms: 1000, floor: 0.1 } }
  const old = picker('round-robin', servers([1, 1]), options)
  old.tick(5500)
  old.apply(state(0, { warmSinceMs: 5000 }))
  const from = picker('round-robin', servers([1, 1]), options)
  from.adopt(old)
  const share = counted(picks(from, 1550, context(board(2))), 2)[0]! / 1550
  assert.ok(Math.abs(share - 0.55 / 1.55) < 0.003, `${share}`)
})

test('another policy takes over the states only', () => {
  const old = picker('round-robin', servers([1, 1, 1]))
  const at = context(board(3), { key: 'k', clientIp: '192.0.2.1' })
  old.apply(state(1, { health: 'down' }))
  for (const name of ['consistent-hash', 'random', 'first', 'least-time', 'power-of-two', 'source-hash'] as const) {
    const from = picker(name, servers([1, 1, 1]))
    from.adopt(old)
    assert.ok(!picks(from, 30, at).includes(1))
    const back = picker('round-robin', servers([1, 1, 1]))
    back.adopt(from)
    assert.deepEqual(new Set(picks(back, 6, at)), new Set([0, 2]))
  }
})
