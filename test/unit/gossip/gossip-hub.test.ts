import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GossipHub } from '../../../src/primary/gossip.ts'
import type { HeartbeatMessage, ServersMessage } from '../../../src/shared/ipc/server-state.ts'
import { GossipReceiver } from '../../../src/worker/gossip-receiver.ts'
import { definitions, tableOf } from './fixtures.ts'

function setUp(ids = ['app/a', 'app/b']) {
  const { table } = tableOf(ids)
  const hub = new GossipHub({ table })
  const join = (worker: number, now: number) => {
    const sent: ServersMessage[] = []
    const state = hub.join(worker, (message) => sent.push(message), now)
    const receiver = new GossipReceiver(() => {})
    const beat = (at: number, change: Partial<HeartbeatMessage> = {}) => hub.heard(worker, { ...receiver.heartbeat(), ...change }, at)
    receiver.apply(state)
    /** Takes what was sent, answers how many messages that were. */
    const take = () => {
      for (const message of sent) receiver.apply(message)
      return sent.splice(0).map(({ isWhole, version }) => `${isWhole ? 'whole' : 'changes'} ${version}`)
    }
    return { sent, take, beat, receiver }
  }
  return { table, hub, join }
}

test('changes of one turn go out as one message, once to each worker', () => {
  const { table, hub, join } = setUp()
  const workers = [join(1, 0), join(2, 0)]
  table.setHealth('app/a', 'down', 10)
  table.setAdmin('app/b', 'drain', 10)
  hub.tick(10)
  hub.tick(11)
  for (const worker of workers) {
    assert.deepEqual(
      worker.sent.map(({ servers }) => servers.map(({ server }) => server)),
      [['app/a', 'app/b']],
    )
    assert.deepEqual(worker.take(), [`changes ${table.version}`])
    worker.beat(12)
  }
  hub.tick(2_000)
  assert.deepEqual(
    workers.map(({ sent }) => sent.length),
    [0, 0],
  )
  assert.equal(hub.confirmedVersion, table.version)
})

test('a worker whose digest is wrong gets the whole table, but not again while that is under way', () => {
  const { table, hub, join } = setUp()
  const worker = join(1, 0)
  table.setHealth('app/a', 'down', 300)
  hub.tick(300)
  worker.sent.length = 0
  table.setHealth('app/b', 'down', 310)
  hub.tick(310)
  worker.take()
  worker.beat(320)
  assert.equal(hub.confirmedVersion, 0)
  worker.beat(330)
  assert.deepEqual(worker.take(), [`whole ${table.version}`])
  worker.beat(340)
  assert.equal(hub.confirmedVersion, table.version)
  worker.beat(600, { epoch: 99 })
  assert.deepEqual(worker.take(), [`whole ${table.version}`])
})

test('a worker that stays behind gets the whole table after a second', () => {
  const { table, hub, join } = setUp()
  const worker = join(1, 0)
  worker.beat(10)
  table.setHealth('app/a', 'down', 5_000)
  worker.beat(4_999)
  hub.tick(5_000)
  worker.sent.length = 0
  worker.beat(5_900)
  hub.tick(5_999)
  assert.deepEqual(worker.sent, [])
  hub.tick(6_001)
  assert.deepEqual(worker.take(), [`whole ${table.version}`])
})

test('a worker that makes progress is not behind, however many changes there are', () => {
  const { table, hub, join } = setUp()
  const worker = join(1, 0)
  worker.beat(1)
  for (let now = 100; now < 5_000; now += 100) {
    table.setWeightShare('app/a', now, now)
    hub.tick(now)
    assert.deepEqual(worker.take(), [`changes ${table.version}`])
    const late = { ...worker.receiver.heartbeat() }
    table.setWeightShare('app/b', now, now + 1)
    hub.tick(now + 1)
    worker.beat(now + 50, late)
    assert.deepEqual(worker.take(), [`changes ${table.version}`])
  }
})

test('nothing is sent to a worker that says nothing; when it speaks again it gets what it missed, once', () => {
  const { table, hub, join } = setUp()
  const worker = join(1, 0)
  worker.beat(0)
  for (let now = 4_000; now < 10_000; now += 250) {
    table.setWeightShare('app/a', now, now)
    hub.tick(now)
  }
  assert.deepEqual(worker.sent, [])
  worker.beat(10_000)
  assert.deepEqual(worker.take(), [`changes ${table.version}`])
})

test('the lag of a change is what the last live worker takes', () => {
  const { table, hub, join } = setUp()
  const [one, two, starting] = [join(1, 0), join(2, 0), join(3, 0)]
  one.beat(5)
  two.beat(5)
  assert.equal(hub.lagMs().count, 0)
  table.setHealth('app/a', 'down', 100)
  hub.tick(100)
  one.take()
  one.beat(102)
  assert.equal(hub.lagMs().count, 0)
  two.take()
  two.beat(107)
  assert.deepEqual(hub.lagMs(), { count: 1, lastMs: 7, p50Ms: 7, p99Ms: 7, maxMs: 7 })
  assert.equal(hub.confirmedVersion, 0, 'the third one has not confirmed, so no row may be freed')
  starting.take()
  starting.beat(150)
  assert.equal(hub.confirmedVersion, table.version)
})

test('a dead worker is waited for no longer', () => {
  const { table, hub, join } = setUp()
  const [one, two] = [join(1, 0), join(2, 0)]
  one.beat(5)
  two.beat(5)
  table.define(definitions('app/a'), 100)
  hub.tick(100)
  one.take()
  one.beat(102)
  assert.ok(hub.confirmedVersion < table.version)
  hub.leave(2, 130)
  assert.deepEqual([hub.confirmedVersion, hub.lagMs().lastMs], [table.version, 30])
  two.beat(140)
  assert.equal(two.sent.length, 1)
})

test('a new worker begins with the whole table and gets changes after that', () => {
  const { table, hub, join } = setUp()
  const worker = join(1, 0)
  assert.equal(worker.receiver.heartbeat().digest, table.digest())
  hub.tick(1)
  assert.deepEqual(worker.sent, [])
})
