import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BoardView } from '../../../src/worker/pick/picker.ts'
import { addLoad, board, context, loadOf, picker as newPicker, seededRandom, servers, setLoad } from './fixtures.ts'

test('with up to 64 servers the pick always has the least load for its weight', () => {
  const server = fc.record({
    weight: fc.integer({ min: 0, max: 5 }),
    load: fc.integer({ min: 0, max: 9 }),
    limit: fc.option(fc.integer({ min: 1, max: 9 })),
  })
  fc.assert(
    fc.property(fc.array(server, { minLength: 1, maxLength: 64 }), fc.nat(100), (list, start) => {
      const view = board(
        list.length,
        list.map(({ load }) => load),
      )
      const picker = newPicker(
        'least-connections',
        servers(
          list.map(({ weight }) => weight),
          Object.fromEntries(list.map(({ limit }, i) => [i, { maxConnections: limit }])),
        ),
        { start },
      )
      const open = list.filter(({ weight, load, limit }) => weight > 0 && (limit === null || load < limit))
      for (let i = 0; i < 3; i++) {
        const slot = picker.pick(context(view))
        if (open.length === 0) assert.equal(slot, -1)
        else assert.equal(list[slot]!.load / list[slot]!.weight, Math.min(...open.map(({ weight, load }) => load / weight)))
      }
    }),
    { numRuns: 500 },
  )
})

test('equal servers share evenly, also when some of them are busy', () => {
  const view = board(4, [0, 0, 9, 0])
  const picker = newPicker('least-connections', servers([1, 1, 1, 1]))
  assert.deepEqual(
    Array.from({ length: 6 }, () => picker.pick(context(view))),
    [0, 1, 3, 0, 1, 3],
  )
})

test('an idle upstream follows the weights', () => {
  const view = board(3)
  const picker = newPicker('least-connections', servers([3, 2, 1]))
  const counts = [0, 0, 0]
  for (let i = 0; i < 60; i++) counts[picker.pick(context(view))]!++
  assert.deepEqual(counts, [30, 20, 10])
})

test('load that stays is spread by weight', () => {
  const view = board(3)
  const picker = newPicker('least-connections', servers([3, 2, 1]))
  for (let i = 0; i < 60; i++) addLoad(view, picker.pick(context(view)), 1)
  assert.deepEqual(loads(view, 3), [30, 20, 10])
})

test('servers tried before are passed over', () => {
  const view = board(3, [0, 1, 2])
  const picker = newPicker('least-connections', servers([1, 1, 1]))
  assert.equal(picker.pick(context(view, { excluded: [0] })), 1)
  assert.equal(picker.pick(context(view, { excluded: [0, 1] })), 2)
  assert.equal(picker.pick(context(view, { excluded: [0, 1, 2] })), -1)
})

test('an idle large group is used in turn, all of it', () => {
  const view = board(1000)
  const picker = newPicker('least-connections', servers(new Array(1000).fill(1)))
  assert.deepEqual(
    Array.from({ length: 2000 }, () => picker.pick(context(view))),
    Array.from({ length: 2000 }, (_, i) => i % 1000),
  )
})

test('a large group with a quarter of it busy stays level', () => {
  const random = seededRandom(7)
  const view = board(1000)
  const picker = newPicker('least-connections', servers(new Array(1000).fill(1)))
  const open: number[] = []
  for (let i = 0; i < 100_000; i++) {
    const slot = picker.pick(context(view))
    addLoad(view, slot, 1)
    open.push(slot)
    if (open.length > 5000) {
      const at = Math.floor(random() * open.length)
      addLoad(view, open[at]!, -1)
      open[at] = open.at(-1)!
      open.pop()
    }
  }
  const all = loads(view, 1000)
  // 5 on average; picking at random would leave some with more than 12.
  assert.ok(Math.max(...all) <= 7, `most ${Math.max(...all)}`)
})

test('one free server among a thousand full ones is found', () => {
  const view = board(1000)
  const picker = newPicker(
    'least-connections',
    servers(new Array(1000).fill(1), Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, { maxConnections: 1 }]))),
  )
  for (let slot = 0; slot < 1000; slot++) setLoad(view, slot, slot === 3 ? 0 : 1)
  assert.equal(picker.pick(context(view)), 3)
  assert.equal(picker.pick(context(view)), 3)
  setLoad(view, 3, 1)
  assert.equal(picker.pick(context(view)), -1)
})

function loads(view: BoardView, size: number): number[] {
  return Array.from({ length: size }, (_, slot) => loadOf(view, slot))
}
