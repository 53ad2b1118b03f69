import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definition, definitions, record, tableOf } from './fixtures.ts'

test('each change raises the version, and what changes nothing does not', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  const before = table.version
  assert.equal(table.setHealth('app/a', 'up', 10), false)
  assert.equal(table.setAdmin('app/a', 'ready', 10), false)
  assert.equal(table.setEjected('app/a', { isEjected: false, isProbing: false }, 10), false)
  assert.equal(table.setWeightShare('app/a', 1, 10), false)
  assert.equal(table.setBreaker('app', 1, 10), false)
  assert.equal(table.define(definitions('app/a', 'app/b'), 10), false)
  assert.equal(table.setHealth('app/none', 'down', 10), false)
  assert.equal(table.version, before)
  assert.equal(table.setHealth('app/a', 'down', 10), true)
  assert.equal(table.setAdmin('app/b', 'maint', 10), true)
  assert.equal(table.setWeightShare('app/b', 0.5, 10), true)
  assert.equal(table.version, before + 3)
  assert.deepEqual(
    table.changesSince(before + 1).servers.map(({ server, admin, weightShare, version }) => [server, admin, weightShare, version]),
    [['app/b', 'maint', 0.5, before + 3]],
  )
})

test('a new definition keeps what is known of servers that stay', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  table.setAdmin('app/a', 'drain', 10)
  table.setWeightShare('app/a', 0.5, 10)
  const slot = record(table, 'app/a').slot
  table.define([definition('app/c'), definition('app/a', { weight: 3 })], 20)
  const { health, admin, weightShare, config } = record(table, 'app/a')
  assert.deepEqual([health, admin, weightShare, config.weight, record(table, 'app/a').slot], ['up', 'drain', 0.5, 3, slot])
  assert.equal(table.get('app/b'), undefined)
  assert.equal(record(table, 'app/c').health, 'unknown')
})

test('a server at another address is looked at anew, and stays as the operator left it', () => {
  const { table, lines } = tableOf(['app/a'])
  table.setAdmin('app/a', 'drain', 10)
  table.setEjected('app/a', { isEjected: true, isProbing: false }, 10)
  lines.length = 0
  table.define([definition('app/a', { port: 81 })], 20)
  const { health, admin, isEjected } = record(table, 'app/a')
  assert.deepEqual({ health, admin, isEjected }, { health: 'unknown', admin: 'drain', isEjected: false })
  assert.equal(lines.length, 1)
})

test('without checks a server is up, whatever was found before', () => {
  const { table } = tableOf(['app/a'])
  table.setHealth('app/a', 'down', 10)
  table.define([definition('app/a', { isChecked: false })], 20)
  assert.equal(record(table, 'app/a').health, 'up')
  assert.equal(table.setHealth('app/a', 'down', 30), false)
})

test('soft stop and drain are one to workers, and neither undoes the other', () => {
  const { table } = tableOf(['app/a'])
  table.setSoftStop('app/a', true, 10)
  assert.equal(record(table, 'app/a').admin, 'drain')
  assert.equal(table.setAdmin('app/a', 'drain', 20), false)
  assert.equal(table.setSoftStop('app/a', false, 30), false)
  assert.equal(record(table, 'app/a').admin, 'drain')
  table.setSoftStop('app/a', true, 40)
  table.setAdmin('app/a', 'maint', 50)
  assert.equal(record(table, 'app/a').admin, 'maint')
  table.setAdmin('app/a', 'ready', 60)
  assert.equal(record(table, 'app/a').admin, 'drain')
  table.setSoftStop('app/a', false, 70)
  assert.equal(record(table, 'app/a').admin, 'ready')
})

test('a server warms up after it was down, ejected or in maintenance, but not after a drain', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  const warm = () => record(table, 'app/a').warmSinceMs
  table.setHealth('app/a', 'down', 10)
  table.setHealth('app/a', 'up', 20)
  assert.equal(warm(), 20)
  table.setAdmin('app/a', 'drain', 30)
  table.setAdmin('app/a', 'ready', 40)
  assert.equal(warm(), 20)
  table.setAdmin('app/a', 'maint', 50)
  assert.equal(warm(), 0)
  table.setAdmin('app/a', 'ready', 60)
  assert.equal(warm(), 60)
  table.setEjected('app/a', { isEjected: true, isProbing: false }, 70)
  table.setEjected('app/a', { isEjected: false, isProbing: true }, 80)
  assert.equal(warm(), 0)
  table.setEjected('app/a', { isEjected: false, isProbing: false }, 90)
  assert.equal(warm(), 90)
})

test('a server that went down while it drained warms up when it is ready again', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  table.setAdmin('app/a', 'drain', 10)
  table.setHealth('app/a', 'down', 20)
  table.setHealth('app/a', 'up', 30)
  assert.equal(record(table, 'app/a').warmSinceMs, 0)
  table.setAdmin('app/a', 'ready', 40)
  assert.equal(record(table, 'app/a').warmSinceMs, 40)
})

test('nobody warms up at the start, nor as the only usable server of an upstream', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  assert.deepEqual([record(table, 'app/a').warmSinceMs, record(table, 'app/b').warmSinceMs], [0, 0])
  for (const server of ['app/a', 'app/b']) table.setHealth(server, 'down', 10)
  table.setHealth('app/a', 'up', 20)
  table.setHealth('app/b', 'up', 30)
  assert.deepEqual([record(table, 'app/a').warmSinceMs, record(table, 'app/b').warmSinceMs], [0, 30])
})

test('a server that is added beside usable ones warms up, and those of a new upstream do not', () => {
  const { table } = tableOf(['app/a'])
  table.define([...definitions('app/a', 'app/b', 'new/a', 'new/b'), definition('app/c', { isChecked: false })], 10)
  assert.equal(record(table, 'app/c').warmSinceMs, 10)
  for (const server of ['app/b', 'new/a', 'new/b']) table.setHealth(server, 'up', 20)
  assert.deepEqual(
    ['app/b', 'new/a', 'new/b'].map((server) => record(table, server).warmSinceMs),
    [20, 0, 0],
  )
})

test('the digest is that of the records, and an old one is remembered', () => {
  const one = tableOf(['app/a', 'app/b']).table
  const other = tableOf(['app/a', 'app/b']).table
  assert.equal(one.digest(), other.digest())
  const [version, digest] = [one.version, one.digest()]
  one.setBreaker('app', 0, 10)
  one.setHealth('app/a', 'down', 10)
  assert.notEqual(one.digest(), digest)
  assert.equal(one.digestAt(version), digest)
  assert.equal(one.digestAt(one.version), one.digest())
  assert.equal(one.digestAt(one.version + 1), undefined)
  for (let i = 0; i < 5_000; i++) one.setWeightShare('app/a', i % 2, 20)
  assert.equal(one.digestAt(version), undefined)
})

test('a closed breaker is told once and is then no more, also when its upstream is removed', () => {
  const { table } = tableOf(['app/a', 'web/a'])
  table.setBreaker('app', 0, 10)
  table.setBreaker('web', 0.5, 10)
  const { version } = table
  table.setBreaker('app', 1, 20)
  table.define(definitions('app/a'), 30)
  assert.deepEqual(table.whole().breakers, [])
  const told = () =>
    table
      .changesSince(version)
      .breakers.map(({ upstream, pass }) => `${upstream} ${pass}`)
      .sort()
  assert.deepEqual(told(), ['app 1', 'web 1'])
  table.settle(table.version - 1, () => 0)
  assert.deepEqual(told(), ['web 1'])
  table.settle(table.version, () => 0)
  assert.deepEqual(told(), [])
  assert.equal(table.setBreaker('web', 0, 40), false)
})

test('a row has another server only when all workers know and nothing is in flight', () => {
  const { table } = tableOf(['app/a', 'app/b'], { rows: 2 })
  const { slot } = record(table, 'app/a')
  table.define(definitions('app/b'), 10)
  const removedAt = table.version
  const refusal = /room for 0 more servers, not for 1/
  const addC = () => table.define(definitions('app/b', 'app/c'), 20)
  assert.throws(addC, refusal)
  assert.deepEqual(
    table.settle(removedAt - 1, () => 0),
    [],
  )
  assert.throws(addC, refusal)
  assert.deepEqual(
    table.settle(removedAt, (row) => (row === slot ? 1 : 0)),
    [],
  )
  assert.throws(addC, refusal)
  assert.deepEqual(
    table.settle(removedAt, () => 0),
    [slot],
  )
  assert.equal(addC(), true)
  assert.equal(record(table, 'app/c').slot, slot)
})

test('a server that comes back at once has its own row again, and nothing else of before', () => {
  const { table } = tableOf(['app/a', 'app/b'], { rows: 2 })
  const { slot } = record(table, 'app/a')
  table.setAdmin('app/a', 'drain', 5)
  table.define(definitions('app/b'), 10)
  table.define(definitions('app/a', 'app/b'), 20)
  const { health, admin, slot: now } = record(table, 'app/a')
  assert.deepEqual([health, admin, now], ['unknown', 'ready', slot])
  assert.deepEqual(table.changesSince(0).removed, [])
})

test('more servers than rows are refused, and nothing changes', () => {
  const { table } = tableOf(['app/a'], { rows: 2 })
  const { version } = table
  assert.throws(() => table.define(definitions('app/x', 'app/y', 'app/z'), 10), /has 3 servers; at most 2 are possible/)
  assert.equal(table.version, version)
  assert.notEqual(table.get('app/a'), undefined)
})

test('people read what changed, why, and what it was before', () => {
  const { table, lines } = tableOf(['app/a', 'app/b'])
  const hour = 3_600_000
  table.setHealth('app/b', 'down', 3 * hour + 1, 'connection refused')
  table.setHealth('app/b', 'up', 3 * hour + 12_001, 'status 200')
  table.setAdmin('app/a', 'drain', 90_001, 'command')
  table.setEjected('app/a', { isEjected: true, isProbing: false }, 90_001, '5 failures in a row')
  table.setEjected('app/a', { isEjected: false, isProbing: true }, 90_001)
  table.setEjected('app/a', { isEjected: false, isProbing: false }, 90_001)
  table.setWeightShare('app/a', 0.5, 90_001, 'agent')
  table.setBreaker('app', 0, 90_001, 'half of the requests failed')
  table.setBreaker('app', 0.5, 90_001)
  table.setBreaker('app', 0.75, 90_001)
  table.setBreaker('app', 1, 90_001)
  table.define(definitions('app/a', 'app/c'), 90_001)
  table.setHealth('app/c', 'down', 90_001, 'no answer in 1 s')
  assert.deepEqual(lines, [
    'app/b is down: connection refused (was up 3 h)',
    'app/b is up: status 200 (was down 12 s)',
    'app/a is draining: command (was ready 90 s)',
    'app/a is ejected: 5 failures in a row',
    'app/a gets one request at a time',
    'app/a is back',
    'app/a has 50% of its weight: agent',
    'the breaker of app is open: half of the requests failed',
    'the breaker of app is closing',
    'the breaker of app is closed',
    'app/b is removed',
    'app/c is new: c:80',
    'app/c is down: no answer in 1 s',
  ])
})
