import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HealthMachine } from '../../../src/shared/health-machine.ts'

const good = { ok: true, reason: 'status 200', latencyMs: 1 }
const bad = { ok: false, reason: 'status 503', latencyMs: 2 }

test('the first result ever is a verdict at once', () => {
  const first = new HealthMachine({ rise: 2, fall: 3 })
  assert.equal(first.state, 'unknown')
  assert.equal(first.pace, 'changing')
  assert.equal(first.take(good), 'up')
  assert.equal(new HealthMachine({ rise: 2, fall: 3 }).take(bad), 'down')
})

test('it takes fall failures in a row to go down and rise successes in a row to come up', () => {
  const machine = new HealthMachine({ rise: 2, fall: 3 })
  const verdicts = [good, bad, bad, good, bad, bad, bad, good, bad, good, good].map((result) => machine.take(result))
  assert.deepEqual(verdicts, ['up', null, null, null, null, null, 'down', null, null, null, 'up'])
})

test('it is changing exactly while the latest results speak against its state', () => {
  const machine = new HealthMachine({ rise: 2, fall: 2 })
  const seen = [good, bad, good, bad, bad, good, good].map((result) => {
    machine.take(result)
    return [machine.state, machine.isChanging, machine.streak, machine.pace]
  })
  assert.deepEqual(seen, [
    ['up', false, 1, 'steady'],
    ['up', true, 1, 'changing'],
    ['up', false, 1, 'steady'],
    ['up', true, 1, 'changing'],
    ['down', false, 2, 'down'],
    ['down', true, 1, 'changing'],
    ['up', false, 2, 'steady'],
  ])
  assert.equal(machine.last, good)
})

test('a server whose first check failed is asked again soon until it failed as often as an up one may', () => {
  const machine = new HealthMachine({ rise: 2, fall: 3 })
  const paces = [bad, bad, bad].map((result) => (machine.take(result), machine.pace))
  assert.deepEqual(paces, ['changing', 'changing', 'down'])
})

test('a verdict always follows enough equal results, and the state never changes without one', () => {
  const rules = fc.record({ rise: fc.integer({ min: 1, max: 5 }), fall: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(rules, fc.array(fc.boolean(), { maxLength: 60 }), (given, results) => {
      const machine = new HealthMachine(given)
      results.forEach((ok, at) => {
        const before = machine.state
        const verdict = machine.take(ok ? good : bad)
        const needed = before === 'unknown' ? 1 : ok ? given.rise : given.fall
        const isEnough = at + 1 >= needed && results.slice(at + 1 - needed, at + 1).every((one) => one === ok)
        const said = ok ? 'up' : 'down'
        assert.equal(verdict, isEnough && said !== before ? said : null)
        assert.equal(machine.state, verdict ?? before)
      })
    }),
  )
})
