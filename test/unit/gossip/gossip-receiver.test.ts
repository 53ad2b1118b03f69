import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ServerTable } from '../../../src/primary/server-table.ts'
import type { ServerRecord, ServersMessage } from '../../../src/shared/ipc/server-state.ts'
import { GossipReceiver, type TableChange } from '../../../src/worker/gossip-receiver.ts'
import { definitions, message, record, tableOf } from './fixtures.ts'

const ids = ['app/a', 'app/b', 'app/c', 'web/a', 'web/b']

/** A copy that is kept from what the receiver says of changes alone. */
function follower() {
  const changes: TableChange[] = []
  const copy = new Map<string, ServerRecord>()
  const passes = new Map<string, number>()
  const receiver = new GossipReceiver((change) => {
    changes.push(change)
    for (const { server } of change.removed) copy.delete(server)
    for (const one of change.servers) copy.set(one.server, one)
    for (const { upstream, pass } of change.breakers) pass === 1 ? passes.delete(upstream) : passes.set(upstream, pass)
  })
  return { receiver, changes, copy, passes }
}

function assertSame({ receiver, copy, passes }: ReturnType<typeof follower>, table: ServerTable): void {
  const { servers, breakers } = table.whole()
  const byName = (list: Iterable<ServerRecord>) => [...list].sort((a, b) => (a.server < b.server ? -1 : 1))
  assert.deepEqual(byName(receiver.servers()), byName(servers))
  assert.deepEqual(byName(copy.values()), byName(servers))
  assert.deepEqual(passes, new Map(breakers.map(({ upstream, pass }) => [upstream, pass])))
  assert.deepEqual([...receiver.breakers()].sort(byVersion), breakers.sort(byVersion))
  assert.equal(receiver.heartbeat().digest, table.digest())
}

const byVersion = (a: { version: number }, b: { version: number }) => a.version - b.version

/** Messages of a table to which these things happen, in order; after each a delta, and now and then a whole table. */
function historyOf(steps: readonly { kind: number; which: number; isWhole: boolean }[]): {
  table: ServerTable
  messages: ServersMessage[]
} {
  const { table } = tableOf(ids.slice(0, 3), { rows: 6 })
  const messages = [table.whole()]
  for (const { kind, which, isWhole } of steps) {
    const { version } = table
    const present = table.servers().map(({ server }) => server)
    const id = present[which % present.length] ?? 'app/a'
    if (kind === 0) table.setHealth(id, record(table, id).health === 'up' ? 'down' : 'up', 10)
    if (kind === 1) table.setWeightShare(id, which / 4, 10)
    if (kind === 2) table.setBreaker('app', (which % 3) / 2, 10)
    if (kind === 3 && present.length > 1) table.define(definitions(...present.filter((one) => one !== id)), 10)
    if (kind === 4) table.define(definitions(...present, ...ids.filter((one) => !present.includes(one)).slice(0, 1)), 10)
    messages.push(table.changesSince(version))
    if (isWhole) messages.push(table.whole())
  }
  return { table, messages }
}

const steps = fc.array(fc.record({ kind: fc.nat(4), which: fc.nat(20), isWhole: fc.boolean() }), { maxLength: 25 })

test('in which order and how often messages arrive does not matter', () => {
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat(1_000_000)), (what, random) => {
      const { table, messages } = historyOf(what)
      const chance = () => random.next().value as number
      const some = messages.flatMap((one) => (chance() % 3 === 0 ? [one, one] : [one]))
      for (let i = some.length - 1; i > 0; i--) {
        const j = chance() % (i + 1)
        ;[some[i], some[j]] = [some[j]!, some[i]!]
      }
      const worker = follower()
      for (const one of some) worker.receiver.apply(one)
      assertSame(worker, table)
    }),
    { numRuns: 1_000 },
  )
})

test('after losses a whole table makes all good, and what comes late then changes nothing', () => {
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat(99)), (what, random) => {
      const { table, messages } = historyOf(what)
      const worker = follower()
      const isLate = messages.map(() => (random.next().value as number) < 50)
      for (const [i, one] of messages.entries()) if (!isLate[i]) worker.receiver.apply(one)
      worker.receiver.apply(table.whole())
      assertSame(worker, table)
      const told = worker.changes.length
      for (const [i, one] of messages.entries()) if (isLate[i]) worker.receiver.apply(one)
      assertSame(worker, table)
      assert.equal(worker.changes.length, told)
    }),
    { numRuns: 1_000 },
  )
})

test('a late word about the old occupant of a row does not hit the new one', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  const worker = follower()
  worker.receiver.apply(table.whole())
  const { version } = table
  table.setHealth('app/a', 'down', 5)
  const late = table.changesSince(version)
  table.define(definitions('app/b'), 10)
  const removal = table.changesSince(version)
  worker.receiver.apply(removal)
  table.settle(table.version, () => 0)
  table.define(definitions('app/b', 'app/c'), 20)
  worker.receiver.apply(table.changesSince(removal.version))
  for (const one of [late, removal]) worker.receiver.apply(one)
  assertSame(worker, table)
  assert.equal(worker.copy.get('app/a'), undefined)
})

test('an old whole table does not bring back what was removed after it, nor drop what was added', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  const worker = follower()
  const old = table.whole()
  const { version } = table
  table.define(definitions('app/b', 'app/c'), 10)
  worker.receiver.apply(table.changesSince(version))
  worker.receiver.apply(old)
  assertSame(worker, table)
})

test('after an old whole table a word that is older than a newer one still counts for nothing', () => {
  const { table } = tableOf(['app/a', 'app/b'])
  const old = table.whole()
  const { version } = table
  table.setHealth('app/a', 'down', 5)
  const late = table.changesSince(version)
  table.define(definitions('app/b'), 10)
  const worker = follower()
  for (const one of [table.whole(), old, late]) worker.receiver.apply(one)
  assertSame(worker, table)
})

test('another primary begins from nothing, and the one before has nothing more to say', () => {
  const before = tableOf(['app/a', 'app/b']).table
  const worker = follower()
  worker.receiver.apply(before.whole())
  before.setBreaker('app', 0, 5)
  worker.receiver.apply(before.whole())
  const { table } = tableOf(['app/a'], { epoch: 6 })
  worker.receiver.apply(table.whole())
  assertSame(worker, table)
  before.setHealth('app/b', 'down', 10)
  worker.receiver.apply(before.whole())
  assertSame(worker, table)
  assert.equal(worker.receiver.heartbeat().epoch, 6)
})

test('an empty message raises the version and tells nobody', () => {
  const { receiver, changes } = follower()
  receiver.apply(message({ version: 9 }))
  assert.deepEqual(receiver.heartbeat(), { type: 'heartbeat', epoch: 5, version: 9, digest: 0 })
  assert.deepEqual(changes, [])
})
