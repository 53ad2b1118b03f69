import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PickServer } from '../../../src/worker/pick/picker.ts'
import type { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'
import { board, context, picker, seededRandom, servers, state } from './fixtures.ts'

/** Ten servers in our zone `a` (0 to 9), five elsewhere, one of them without a zone. */
function zoned(changes: Record<number, Partial<PickServer>> = {}): PickServer[] {
  return servers(new Array(15).fill(1)).map((server) => {
    const zone = server.slot < 10 ? 'a' : server.slot < 14 ? 'b' : null
    return { ...server, zone, ...changes[server.slot] }
  })
}

function ownShare(from: UpstreamPicker, at = context(board(15), { random: seededRandom(3) })): number {
  let own = 0
  for (let i = 0; i < 20_000; i++) if (from.pick(at) < 10) own++
  return own / 20_000
}

function without(from: UpstreamPicker, count: number): UpstreamPicker {
  for (let slot = 0; slot < 10; slot++) from.apply(state(slot, { health: slot < count ? 'down' : 'up' }))
  return from
}

test('the own zone takes all while 70 % of its weight is usable, then what it has over that', () => {
  const from = picker('round-robin', zoned(), { zone: 'a' })
  for (const [down, share] of [
    [0, 1],
    [3, 1],
    [4, 6 / 7],
    [6, 4 / 7],
    [9, 1 / 7],
    [10, 0],
  ] as const) {
    assert.ok(Math.abs(ownShare(without(from, down)) - share) < 0.015, `${down} down: ${ownShare(from)}`)
  }
})

test('each side stands in for the other', () => {
  const from = picker('round-robin', zoned(), { zone: 'a' })
  const at = context(board(15))
  at.excluded = Array.from({ length: 10 }, (_, i) => i)
  assert.ok(from.pick(at) >= 10)
  for (let slot = 10; slot < 15; slot++) from.apply(state(slot, { health: 'down' }))
  assert.equal(ownShare(without(from, 8)), 1)
})

test('without a zone of our own, or servers in it, zones do not count', () => {
  for (const zone of [null, 'elsewhere']) assert.ok(Math.abs(ownShare(picker('round-robin', zoned(), { zone })) - 10 / 15) < 0.001)
})

test('other zones come before a later tier', () => {
  const from = picker('round-robin', zoned({ 9: { tier: 1 }, 14: { tier: 1 } }), { zone: 'a' })
  const at = context(board(15))
  at.excluded = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  for (let i = 0; i < 20; i++) assert.ok([10, 11, 12, 13].includes(from.pick(at)))
  at.excluded = [...at.excluded, 10, 11, 12, 13]
  for (let i = 0; i < 20; i++) assert.equal(from.pick(at), 9)
})

test('a key spills always or never, so it keeps its server', () => {
  const from = without(picker('consistent-hash', zoned(), { zone: 'a' }), 6)
  const at = context(board(15))
  let own = 0
  for (let i = 0; i < 2000; i++) {
    at.key = `/item/${i}`
    const home = from.pick(at)
    if (home < 10) own++
    assert.equal(from.pick(at), home)
  }
  assert.ok(Math.abs(own / 2000 - 4 / 7) < 0.05, `${own}`)
})
