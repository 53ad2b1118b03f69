import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyName } from '../../../src/worker/pick/picker.ts'
import { board, context, counted, latencies, picker, picks, seededRandom, servers, underLoad } from './fixtures.ts'

const WEIGHTS = [1, 2, 5]
const PICKS = 100_000

/** Each within one per cent of all picks. */
function assertShares(counts: readonly number[], weights: readonly number[], total = PICKS): void {
  const sum = weights.reduce((all, weight) => all + weight, 0)
  for (const [i, count] of counts.entries()) {
    const [share, wanted] = [count / total, weights[i]! / sum]
    assert.ok(Math.abs(share - wanted) <= 0.01, `server ${i}: ${(share * 100).toFixed(2)} % instead of ${(wanted * 100).toFixed(2)} %`)
  }
}

test('round-robin: 1 : 2 : 5 exactly', () => {
  assert.deepEqual(counted(picks(picker('round-robin', servers(WEIGHTS)), PICKS, context(board(3))), 3), [12_500, 25_000, 62_500])
})

for (const name of ['least-connections', 'power-of-two', 'random'] satisfies PolicyName[]) {
  test(`${name}: 1 : 2 : 5 of an idle upstream`, () => {
    assertShares(counted(picks(picker(name, servers(WEIGHTS)), PICKS, context(board(3))), 3), WEIGHTS)
  })
}

for (const name of ['round-robin', 'least-connections', 'power-of-two', 'least-time', 'random'] satisfies PolicyName[]) {
  test(`${name}: 1 : 2 : 5 of an upstream with 400 exchanges in flight`, () => {
    const at = context(board(3), { latencies: latencies([900, 900, 900]) })
    assertShares(underLoad(picker(name, servers(WEIGHTS)), at, { count: PICKS, open: 400, size: 3 }), WEIGHTS)
  })

  test(`${name}: weights among many`, () => {
    const weights = Array.from({ length: 200 }, (_, i) => WEIGHTS[i % 3]!)
    const at = context(board(200), { latencies: latencies(new Array(200).fill(900)) })
    const counts = underLoad(picker(name, servers(weights)), at, { count: PICKS, open: 8000, size: 200 })
    const byWeight = [0, 1, 2].map((k) => counts.filter((_, i) => i % 3 === k).reduce((sum, count) => sum + count, 0))
    assertShares(byWeight, [67, 67 * 2, 66 * 5])
  })
}

for (const table of ['ring', 'maglev', 'rendezvous'] as const) {
  test(`consistent-hash, ${table}: 1 : 2 : 5 of the keys`, () => {
    const at = context(board(3))
    const hash = { key: { from: 'path' }, table, boundedLoad: null } as const
    // One ring of 160 points per server is off by several per cent; a few dozen of them on average are not.
    const rings = table === 'ring' ? 40 : 1
    const counts = [0, 0, 0]
    for (let ring = 0; ring < rings; ring++) {
      const list = servers(WEIGHTS).map((server) => ({ ...server, id: `10.${ring}.0.${server.slot}:80` }))
      const from = picker('consistent-hash', list, { hash })
      for (let i = 0; i < PICKS / rings; i++) {
        at.key = `/item/${i}`
        counts[from.pick(at)]!++
      }
    }
    assertShares(counts, WEIGHTS)
  })
}

test('random shares stay right when some servers may not be picked', () => {
  const at = context(board(5), { excluded: [1, 3] })
  const counts = counted(picks(picker('random', servers([1, 50, 2, 50, 5])), PICKS, at), 5)
  assert.deepEqual([counts[1], counts[3]], [0, 0])
  assertShares([counts[0]!, counts[2]!, counts[4]!], WEIGHTS)
})

test('power-of-two never takes the busier of two, and finds the only ones left', () => {
  const at = context(board(2, [5, 3]))
  assert.deepEqual(new Set(picks(picker('power-of-two', servers([1, 1])), 200, at)), new Set([1]))
  const many = servers(new Array(1000).fill(1))
  const excluded = many.map(({ slot }) => slot).filter((slot) => slot !== 4 && slot !== 900)
  const view = board(1000)
  view.inFlight[4 * view.stride + view.offset] = 1
  assert.deepEqual(new Set(picks(picker('power-of-two', many), 200, context(view, { excluded }))), new Set([900]))
})

test('power-of-two keeps a thousand servers level', () => {
  const from = picker('power-of-two', servers(new Array(1000).fill(1)))
  const at = context(board(1000))
  underLoad(from, at, { count: 50_000, open: 5000, size: 1000 })
  const most = Math.max(...Array.from({ length: 1000 }, (_, slot) => at.board.inFlight[slot * 3 + 2]!))
  assert.ok(most <= 10, `most ${most}`)
})

test('least-time prefers the server that will answer first', () => {
  const from = picker('least-time', servers([1, 1]))
  const at = context(board(2, [0, 0]), { latencies: latencies([4000, 1000]) })
  assert.ok(counted(picks(from, 640, at), 2)[1]! >= 630)
  at.board = board(2, [1, 9])
  assert.deepEqual(new Set(picks(from, 100, at)), new Set([0]))
})

test('least-time tries servers that were never measured, and does not flood them', () => {
  const from = picker('least-time', servers([1, 1, 1, 1]))
  const at = context(board(4, [3, 3, 0, 0]), { latencies: latencies([1000, 1000, 0, 0]) })
  const counts = underLoad(from, at, { count: 60, open: 60, size: 4 })
  assert.deepEqual(counts, [29, 29, 1, 1])
})

test('least-time without any measurement shares by load', () => {
  const counts = underLoad(picker('least-time', servers([1, 1, 2])), context(board(3)), { count: 40_000, open: 40, size: 3 })
  assertShares(counts, [1, 1, 2], 40_000)
})

test('least-time measures an idle slow server again now and then', () => {
  const at = context(board(3), { latencies: latencies([1000, 1000, 9_000_000]), random: seededRandom(5) })
  const counts = counted(picks(picker('least-time', servers([1, 1, 1])), 6400, at), 3)
  assert.ok(counts[2]! > 10 && counts[2]! < 100, `${counts}`)
})

test('first fills one server after the other', () => {
  const list = servers([1, 1, 1], { 0: { maxConnections: 2 }, 1: { maxConnections: 1 } })
  const at = context(board(3))
  assert.deepEqual(underLoad(picker('first', list), at, { count: 6, open: 6, size: 3 }), [2, 1, 3])
})
