import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bench, type Case, type Sample, Unable } from '../../../bench/lib/case.ts'
import { runCase } from '../../../bench/lib/run-case.ts'
import type { PeerKind } from '../../../bench/peers/peer.ts'

const bench: Bench = { cores: { proxy: null, load: null }, origins: [1, 2], seconds: 1, full: false, nginxMaximum: { value: 0 } }
const peers = ['a', 'b', 'c'].map((name): PeerKind => ({ name, start: () => assert.fail('measure() is what starts it') }))

function caseOf(measure: (peer: string) => Sample, more: Partial<Case> = {}): Case {
  const base = { name: 'http-small', metrics: [], goals: [], obstacle: () => null }
  return { ...base, measure: async (kind) => measure(kind.name), ...more }
}

async function run(one: Case, rounds = 3) {
  const begun: string[] = []
  const result = await runCase(one, peers, rounds, bench, (what) => begun.push(what.split(' ').at(-1) ?? ''))
  return { result, begun: begun.join('') }
}

test('peers take turns, and every round begins with another one', async () => {
  const { result, begun } = await run(caseOf((peer) => ({ cpuUs: peer.charCodeAt(0) })))
  assert.equal(begun, 'abcbcacab')
  assert.deepEqual(result.samples['a'], [{ cpuUs: 97 }, { cpuUs: 97 }, { cpuUs: 97 }])
})

test('a peer that fails is named and left out of the rounds to come, and the others go on', async () => {
  const { result, begun } = await run(
    caseOf((peer) => {
      if (peer === 'b') throw new Error('ended at once')
      return { cpuUs: 1 }
    }),
  )
  assert.deepEqual(result.failures, ['b: ended at once'])
  assert.equal(begun, 'abccaca')
  assert.deepEqual(Object.keys(result.samples), ['a', 'c'])
})

test('a peer that cannot do what is asked for is no failure', async () => {
  const { result } = await run(
    caseOf((peer) => {
      if (peer === 'c') throw new Unable('cannot take the rate')
      return { cpuUs: 1 }
    }),
  )
  assert.deepEqual([result.failures, result.unable], [[], { c: 'cannot take the rate' }])
})

test('a case with a rate is measured without a proxy, too, and one that cannot be run measures nobody', async () => {
  assert.match(
    (
      await run(
        caseOf(() => ({ rps: 1 }), { rate: 'rps' }),
        1,
      )
    ).begun,
    /^abcdirect$/,
  )
  const { result, begun } = await run(caseOf(() => ({}), { obstacle: () => 'needs ulimit -n 9' }))
  assert.deepEqual([begun, result.obstacle, result.samples], ['', 'needs ulimit -n 9', {}])
})

test('a case that hardly differs from round to round takes fewer of them', async () => {
  assert.equal(
    (
      await run(
        caseOf(() => ({ cpuUs: 1 }), { mostRounds: 2 }),
        5,
      )
    ).begun,
    'abcbca',
  )
})
