import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Answer, NameKind } from '../../../src/primary/discovery/answer.ts'
import { answered, failed, newWatch } from '../../../src/primary/discovery/watch.ts'
import { Watcher } from '../../../src/primary/discovery/watcher.ts'
import { at, type Says, SimulatedClock, SimulatedResolve, service, services } from './lib/simulated.ts'

const MIDDLE = 0.5

function follow(says: Says, kind: NameKind = 'dns') {
  const clock = new SimulatedClock()
  const resolve = new SimulatedResolve(clock, { [`${kind} api.test`]: says })
  const [changes, lines]: [Answer[], string[]] = [[], []]
  const watcher = new Watcher({
    kind,
    name: 'api.test',
    resolve,
    clock,
    random: () => MIDDLE,
    changed: (answer) => changes.push(answer),
    log: (line) => lines.push(line),
  })
  watcher.start()
  const say = (next: Says) => resolve.names.set(`${kind} api.test`, next)
  const times = () => resolve.asked.map((question) => Number(question.split(' ')[0]))
  const addresses = () =>
    changes.map((answer) => (answer.kind === 'dns' ? answer.addresses : answer.services.map((one) => one.at?.addresses)))
  return { clock, resolve, watcher, lines, say, times, addresses }
}

test('the next look is when the time to live is over, which counts as 1 to 60 s', () => {
  const due = (ttlMs: number, random = MIDDLE) => answered(newWatch(7), at(['10.0.0.1'], ttlMs), 100, random).dueMs - 100
  assert.deepEqual([due(5_000), due(0), due(1), due(3_600_000)], [5_000, 1_000, 1_000, 60_000])
  assert.deepEqual([due(5_000, 0), Math.round(due(5_000, 1))], [4_500, 5_500])
})

test('failures are tried again after 1, 2, 4, 8, 16 s and then every 30 s', () => {
  const waits: number[] = []
  let watch = newWatch(0)
  for (let i = 0; i < 8; i++) {
    watch = failed(watch, 0, MIDDLE)
    waits.push(watch.dueMs)
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  assert.equal(failed(answered(watch, at(['10.0.0.1']), 0, MIDDLE), 0, MIDDLE).dueMs, 1_000, 'an answer forgets them')
})

test('whatever happens, the next look is in 0.9 to 66 s and no answer is lost', () => {
  const step = fc.record({ ttl: fc.option(fc.nat(10_000_000)), random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let watch = newWatch(0)
      let now = 0
      for (const { ttl, random } of steps) {
        const before = watch
        watch = ttl === null ? failed(watch, now, random) : answered(watch, at(['10.0.0.1'], ttl), now, random)
        const wait = watch.dueMs - now
        assert.ok(wait >= 900 && wait <= 66_000.001, String(wait))
        assert.ok(before.answer === null || watch.answer !== null)
        now = watch.dueMs
      }
    }),
  )
})

test('it looks again when the time to live is over, and tells of real changes only', async () => {
  const { clock, say, times, addresses, watcher } = follow(at(['10.0.0.1', '10.0.0.2'], 5_000))
  await clock.pass(0)
  say(at(['10.0.0.2', '10.0.0.1'], 5_000))
  await clock.pass(5_000)
  assert.deepEqual(addresses(), [['10.0.0.1', '10.0.0.2']])
  say(at(['10.0.0.2', '10.0.0.3'], 120_000))
  await clock.pass(65_000)
  assert.deepEqual(addresses().slice(1), [['10.0.0.2', '10.0.0.3']])
  assert.deepEqual(times(), [0, 5_000, 10_000, 70_000])
  assert.equal(clock.waiting, 1)
  watcher.stop()
})

for (const failure of ['ENOTFOUND', 'ENODATA', 'ETIMEOUT', 'ESERVFAIL'] as const) {
  test(`${failure} leaves the last good answer in force, and is logged once`, async () => {
    const { clock, say, times, addresses, lines, watcher } = follow(at(['10.0.0.1'], 1_000))
    await clock.pass(500)
    say(failure)
    await clock.pass(20_000)
    assert.deepEqual(times(), [0, 1_000, 2_000, 4_000, 8_000, 16_000])
    assert.deepEqual(addresses(), [['10.0.0.1']])
    assert.deepEqual(watcher.answer, at(['10.0.0.1'], 1_000))
    assert.deepEqual(lines, [`api.test does not resolve (${failure}); the last good answer stays in force`])
    say(at(['10.0.0.1']))
    await clock.pass(20_000)
    assert.deepEqual([addresses().length, lines.slice(1)], [1, ['api.test resolves again']])
  })
}

test('an answer without records is a failure', async () => {
  const { clock, say, addresses, lines } = follow(at(['10.0.0.1'], 1_000))
  await clock.pass(500)
  say(at([], 1_000))
  await clock.pass(5_000)
  assert.deepEqual([addresses(), lines.length], [[['10.0.0.1']], 1])
})

test('a name that does not resolve at first is tried again until it does', async () => {
  const { clock, say, addresses, lines, watcher } = follow('ENOTFOUND')
  await clock.pass(0)
  await watcher.first
  assert.deepEqual([watcher.answer, lines], [null, ['api.test does not resolve (ENOTFOUND); it is tried again']])
  say(at(['10.0.0.1']))
  await clock.pass(1_000)
  assert.deepEqual([addresses(), lines[1]], [[['10.0.0.1']], 'api.test resolves now'])
})

test('looks never overlap', async () => {
  const { clock, times } = follow('never')
  await clock.pass(600_000)
  assert.deepEqual(times(), [0])
})

test('the family that could not be asked for keeps its addresses', async () => {
  const { clock, say, addresses, watcher } = follow(at(['10.0.0.1', 'fd00::1'], 1_000))
  await clock.pass(500)
  say(at(['10.0.0.2'], 1_000, 6))
  await clock.pass(1_000)
  say(at(['fd00::2'], 1_000, 4))
  await clock.pass(1_000)
  assert.deepEqual(addresses(), [
    ['10.0.0.1', 'fd00::1'],
    ['10.0.0.2', 'fd00::1'],
    ['10.0.0.2', 'fd00::2'],
  ])
  watcher.stop()
})

test('an SRV target that does not resolve for a while stays where it was', async () => {
  const { clock, say, addresses, lines } = follow(services([service('a.test', 80), service('b.test', 80)], 1_000), 'srv')
  await clock.pass(500)
  say(services([service('b.test', 80), service('a.test', 80, { at: null })], 1_000))
  await clock.pass(1_000)
  assert.deepEqual([addresses().length, lines], [1, []])
  say(services([service('a.test', 80, { at: at(['10.0.0.7']) }), service('b.test', 80)], 1_000))
  await clock.pass(1_000)
  assert.deepEqual(addresses()[1], [['10.0.0.7'], ['10.0.0.1']])
})

test('after stop nothing is asked and nothing told, not even by the look that is on its way', async () => {
  const { clock, watcher, addresses, times } = follow(at(['10.0.0.1']))
  watcher.stop()
  await watcher.first
  await clock.pass(100_000)
  assert.deepEqual([addresses(), times(), clock.waiting], [[], [0], 0])
})
