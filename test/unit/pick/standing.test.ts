import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerState } from '../../../src/shared/ipc/server-state.ts'
import { standingOf } from '../../../src/worker/pick/eligible.ts'
import { board, context, counted, picker, picks, servers, setLoad, state } from './fixtures.ts'

test('each state has one standing', () => {
  const standing = (changes: Partial<ServerState>, weight = 1, initial: 'hold' | 'up' | 'down' = 'hold') =>
    standingOf(state(0, changes), weight, initial)
  assert.equal(standing({}), 'usable')
  assert.equal(standing({ health: 'unknown' }), 'unknown')
  assert.equal(standing({ health: 'unknown' }, 1, 'up'), 'usable')
  assert.equal(standing({ health: 'unknown' }, 1, 'down'), 'down')
  assert.equal(standing({ health: 'down' }, 1, 'up'), 'down')
  assert.equal(standing({ admin: 'maint' }), 'down')
  assert.equal(standing({ admin: 'drain' }), 'draining')
  assert.equal(standing({}, 0), 'draining')
  assert.equal(standing({ admin: 'drain', health: 'down' }), 'down')
  assert.equal(standing({ isEjected: true }), 'ejected')
  assert.equal(standing({ isEjected: true, isProbing: true }), 'ejected')
  assert.equal(standing({ isProbing: true }), 'usable')
})

test('counts: every server once, in its place', () => {
  const from = picker('round-robin', servers([1, 1, 1, 1, 1, 0], { 1: { tier: 1 } }), { initial: 'hold' })
  assert.deepEqual(from.counts(), { usable: 0, ejected: 0, down: 0, draining: 1, unknown: 5 })
  from.apply(state(0))
  from.apply(state(1, { isEjected: true }))
  from.apply(state(2, { health: 'down' }))
  from.apply(state(3, { admin: 'drain' }))
  assert.deepEqual(from.counts(), { usable: 1, ejected: 1, down: 1, draining: 2, unknown: 1 })
})

test('why: nobody has a verdict · none is usable · all are full · all were tried', () => {
  const from = picker('least-connections', servers([1, 1], { 1: { maxConnections: 1, tier: 1 } }), { initial: 'hold' })
  const at = context(board(2))
  assert.equal(from.why(at), 'unknown')
  from.apply(state(0, { health: 'down' }))
  assert.equal(from.why(at), 'unknown')
  from.apply(state(1))
  setLoad(at.board, 1, 1)
  assert.equal(from.pick(at), -1)
  assert.equal(from.why(at), 'full')
  at.excluded = [1]
  assert.equal(from.why(at), 'excluded')
  from.apply(state(1, { admin: 'drain' }))
  assert.equal(from.why(at), 'none')
})

test('why: servers at the bound of their load are full', () => {
  const hash = { key: { from: 'path' }, table: 'ring', boundedLoad: 1 } as const
  const from = picker('consistent-hash', servers([1, 1]), { hash })
  const at = context(board(2, [3, 3]), { key: 'k' })
  const slot = from.pick(at)
  setLoad(at.board, slot, 4)
  at.excluded = [1 - slot]
  assert.equal(from.pick(at), -1)
  assert.equal(from.why(at), 'full')
})

test('a sticky user stays while the server drains, and goes when it is down, ejected, full, tried or distrusted', () => {
  const from = picker('round-robin', servers([1, 1, 0], { 0: { maxConnections: 2 } }))
  const at = context(board(3), { now: 50 })
  assert.equal(from.pickNamed(0, at), true)
  assert.equal(from.pickNamed(2, at), true)
  assert.equal(from.pickNamed(9, at), false)
  from.apply(state(0, { admin: 'drain' }))
  assert.deepEqual(new Set(picks(from, 9, at)), new Set([1]))
  assert.equal(from.pickNamed(0, at), true)
  setLoad(at.board, 0, 2)
  assert.equal(from.pickNamed(0, at), false)
  setLoad(at.board, 0, 1)
  assert.equal(from.pickNamed(0, Object.assign(at, { excluded: [0] })), false)
  at.excluded = []
  from.distrust(0, 60)
  assert.equal(from.pickNamed(0, at), false)
  from.distrust(0, 0)
  assert.equal(from.pickNamed(0, at), true)
  for (const change of [{ health: 'down' }, { admin: 'maint' }, { isEjected: true }, { admin: 'drain', isEjected: true }] as const) {
    from.apply(state(0, change))
    assert.equal(from.pickNamed(0, at), false, JSON.stringify(change))
  }
})

test('without a verdict a draining server keeps nobody', () => {
  const from = picker('round-robin', servers([1, 1]), { initial: 'hold' })
  from.apply(state(0, { health: 'unknown', admin: 'drain' }))
  assert.equal(from.pickNamed(0, context(board(2))), false)
})

test('panic: with no usable server in any tier those that are only ejected serve', () => {
  const from = picker('round-robin', servers([1, 1, 1, 1], { 3: { tier: 1 } }))
  const at = context(board(4))
  from.apply(state(0, { isEjected: true }))
  from.apply(state(1, { isEjected: true, health: 'down' }))
  from.apply(state(2, { isEjected: true, admin: 'drain' }))
  assert.deepEqual(new Set(picks(from, 6, at)), new Set([3]))
  assert.equal(from.isPanicking, false)
  from.apply(state(3, { health: 'down' }))
  assert.equal(from.isPanicking, true)
  assert.deepEqual(new Set(picks(from, 6, at)), new Set([0]))
  assert.equal(from.pickNamed(0, at), true)
  assert.equal(from.counts().usable, 0)
  from.apply(state(1))
  assert.equal(from.isPanicking, false)
  assert.deepEqual(new Set(picks(from, 6, at)), new Set([1]))
})

test('a server that is probed has one request at a time', () => {
  const from = picker('round-robin', servers([1, 1]))
  const at = context(board(2))
  from.apply(state(0, { isProbing: true }))
  assert.deepEqual(new Set(picks(from, 4, at)), new Set([0, 1]))
  setLoad(at.board, 0, 1)
  assert.deepEqual(new Set(picks(from, 4, at)), new Set([1]))
  assert.equal(from.pickNamed(0, at), false)
  from.apply(state(0))
  assert.deepEqual(new Set(picks(from, 4, at)), new Set([0, 1]))
})

test("the primary's share of a weight counts at once", () => {
  const from = picker('round-robin', servers([2, 2]))
  const at = context(board(2))
  from.apply(state(0, { weightShare: 0.5 }))
  assert.deepEqual(counted(picks(from, 300, at), 2), [100, 200])
  from.apply(state(0, { weightShare: 2 }))
  assert.deepEqual(counted(picks(from, 300, at), 2), [200, 100])
})

test('slow start: the weight grows in a line from the floor', () => {
  const from = picker('round-robin', servers([1, 1]), { slowStart: { ms: 1000, floor: 0.1 } })
  const at = context(board(2))
  const share = () => counted(picks(from, 1100, at), 2)[0]! / 1100
  from.tick(10_000)
  from.apply(state(0, { warmSinceMs: 10_200 }))
  const close = (ramp: number) => assert.ok(Math.abs(share() - ramp / (1 + ramp)) < 0.003, `${share()} at ramp ${ramp}`)
  close(0.1)
  from.tick(10_200)
  close(0.1)
  from.tick(10_700)
  close(0.55)
  from.tick(11_200)
  close(1)
  from.tick(20_000)
  close(1)
  from.apply(state(0, { warmSinceMs: 0 }))
  close(1)
})

test('a slow start does not count without the option', () => {
  const from = picker('round-robin', servers([1, 1]))
  from.tick(5)
  from.apply(state(0, { warmSinceMs: 5 }))
  assert.deepEqual(counted(picks(from, 10, context(board(2))), 2), [5, 5])
})
