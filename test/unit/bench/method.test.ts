import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientLog } from '../../../src/cli/bench/client-log.ts'
import { fairness } from '../../../src/cli/bench/fairness.ts'
import { builtInFleets } from '../../../src/cli/bench/fleets.ts'
import { momentsOf } from '../../../src/cli/bench/measure-round.ts'
import { descriptorObstacle } from '../../../src/cli/bench/obstacles.ts'
import { histogramOf } from '../../../src/cli/bench/report/histograms.ts'
import { RoundLog } from '../../../src/cli/bench/round-log.ts'
import { meanMs } from '../../../src/cli/bench/service-time.ts'
import { settingsOf } from '../../../src/cli/bench/settings.ts'
import { turnOrder } from '../../../src/cli/bench/turn-order.ts'

const given = { rounds: undefined, seconds: undefined, seed: undefined, cores: 2 }
const all = { names: null, policies: null, rate: null }

test('fairness is 1 when requests follow weights, and 1/n when one server has them all', () => {
  assert.equal(
    fairness([
      { weight: 1, requests: 10 },
      { weight: 5, requests: 50 },
    ]),
    1,
  )
  assert.equal(
    fairness([
      { weight: 1, requests: 10 },
      { weight: 1, requests: 0 },
      { weight: 1, requests: 0 },
      { weight: 1, requests: 0 },
    ]),
    0.25,
  )
  assert.equal(
    fairness([
      { weight: 1, requests: 7 },
      { weight: 0, requests: 0 },
    ]),
    1,
  )
  assert.equal(fairness([{ weight: 1, requests: 0 }]), 1)
})

test('over as many rounds as there are policies each has every place once', () => {
  const rounds = [0, 1, 2].map((round) => turnOrder(['a', 'b', 'c'], round))
  assert.deepEqual(rounds, [
    ['a', 'b', 'c'],
    ['b', 'c', 'a'],
    ['c', 'a', 'b'],
  ])
  assert.deepEqual(turnOrder(['a', 'b', 'c'], 3), rounds[0])
})

test('a late answer counts for the one that would have waited behind it', () => {
  const log = new RoundLog(4)
  const client = new ClientLog(log)
  client.begin(0)
  client.answer(200, 1)
  log.begin(10)
  client.begin(10)
  client.answer(200, 2_510)
  const { responses, errors, histogram, latency, slices } = log.result()
  assert.deepEqual({ responses, errors, count: histogramOf({ histogram }).totalCount }, { responses: 1, errors: 0, count: 2 })
  assert.ok(Math.abs(latency.max - 2_500) < 3 && Math.abs(latency.mean - 2_000) < 3)
  assert.deepEqual([slices.length, slices[0]?.responses, slices[1]?.max], [40, 1, null])
})

test('what begins in the measured part counts whenever it is answered, nothing else does, and what gets no answer is an error', () => {
  const log = new RoundLog(1)
  log.begin(1_000)
  const clients = Array.from({ length: 5 }, () => new ClientLog(log))
  for (const client of clients) {
    client.begin(500)
    client.answer(200, 600)
  }
  const [early, late, refused, lost, after] = clients as [ClientLog, ClientLog, ClientLog, ClientLog, ClientLog]
  early.begin(999)
  early.answer(200, 1_100)
  late.begin(1_999)
  late.answer(200, 9_000)
  refused.begin(1_200)
  refused.answer(503, 1_201)
  lost.begin(1_300)
  lost.begin(1_400)
  after.begin(2_000)
  after.answer(200, 2_001)
  assert.equal(log.open, 1)
  lost.fail()
  const { responses, errors } = log.result()
  assert.deepEqual({ responses, errors, open: log.open }, { responses: 1, errors: 3, open: 0 })
})

test('each fleet has enough servers for its load, and none is bored', () => {
  for (const { name, servers, rate, keys } of builtInFleets({ ...all, isQuick: false })) {
    const perSecond = servers.reduce((sum, { atOnce, service }) => sum + (atOnce * 1_000) / meanMs(service), 0)
    const used = rate / perSecond
    assert.ok(used >= 0.45 && used <= (keys === null ? 0.7 : 0.8), `${name} is used to ${used}`)
  }
})

test('what is done by default fits the time that is promised for it', () => {
  for (const [isQuick, most] of [
    [false, 600],
    [true, 90],
  ] as const) {
    const { rounds, seconds, warmUpSeconds, lanes } = settingsOf({ ...given, isQuick })
    const stretches = builtInFleets({ ...all, isQuick }).map(({ policies }) => policies.length * rounds)
    const longest = Math.ceil(stretches.length / lanes) * Math.max(...stretches) * (seconds + warmUpSeconds + 0.5)
    assert.ok(longest < most, `${longest} s`)
  }
})

test('a server stands still again and again, and is killed in the middle', () => {
  assert.deepEqual(momentsOf({ kind: 'stall', server: 'd', ms: 2_000, everyMs: 5_000 }, 4), [1_000])
  assert.deepEqual(momentsOf({ kind: 'stall', server: 'd', ms: 2_000, everyMs: 5_000 }, 12), [1_250, 6_250, 11_250])
  assert.deepEqual(momentsOf({ kind: 'kill', server: 'd' }, 4), [2_000])
})

test('too few descriptors are a sentence with what to do', () => {
  const [fleet] = builtInFleets({ ...all, names: ['equal'], isQuick: true })
  assert.match(
    descriptorObstacle([fleet!], 1_024) ?? '',
    /^too few file descriptors \(1024\): fleet "equal" needs \d+; raise the limit \(ulimit -n \d+\)/,
  )
  assert.equal(descriptorObstacle([fleet!], 4_096), null)
})
