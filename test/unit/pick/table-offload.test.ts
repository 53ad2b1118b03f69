import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import type { PickServer } from '../../../src/worker/pick/picker.ts'
import type { HashTable } from '../../../src/worker/pick/table-builder.ts'
import { buildTable, tableBuffers } from '../../../src/worker/pick/table-builder.ts'
import type { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'
import { board, context, picker, servers, state } from './fixtures.ts'

function large(table: 'ring' | 'maglev' | 'rendezvous', list: readonly PickServer[], offloadAbove = 500): UpstreamPicker {
  return picker('consistent-hash', list, { hash: { key: { from: 'path' }, table, boundedLoad: null }, offloadAbove })
}

function homes(from: UpstreamPicker): number[] {
  const at = context(board(700))
  return Array.from({ length: 3000 }, (_, i) => {
    at.key = `/item/${i}`
    return from.pick(at)
  })
}

/** As it comes from another thread. */
async function sent(table: HashTable): Promise<HashTable> {
  const { port1, port2 } = new MessageChannel()
  const arrived = new Promise<HashTable>((resolve) => port2.once('message', resolve))
  port1.postMessage(table, tableBuffers(table))
  const copy = await arrived
  port1.close()
  return copy
}

for (const table of ['ring', 'maglev', 'rendezvous'] as const) {
  test(`${table}: the old table serves until the new one comes from a thread`, async () => {
    const list = servers(new Array(600).fill(1))
    const old = large(table, list)
    const before = homes(old)
    assert.deepEqual(old.wantedTables(), [])
    const changed = [...list.slice(1), { ...list[0]!, slot: 650, id: 'new:80' }]
    const from = large(table, changed)
    from.adopt(old)
    const wanted = from.wantedTables()
    assert.equal(wanted.length, 1)
    if (table !== 'rendezvous') {
      const between = homes(from)
      for (const [i, slot] of before.entries()) assert.ok(slot === 0 ? between[i] !== 0 : between[i] === slot)
    }
    assert.equal(from.useTable(await sent(buildTable(wanted[0]!))), true)
    assert.deepEqual(from.wantedTables(), [])
    const after = homes(from)
    assert.ok(after.includes(650) && !after.includes(0))
    assert.deepEqual(after, homes(large(table, changed, Infinity)))
  })

  test(`${table}: a table that comes too late is refused; a weight that changes asks for another`, () => {
    const from = large(table, servers(new Array(600).fill(1)))
    const first = buildTable(from.wantedTables()[0]!)
    from.apply(state(3, { weightShare: 0.25 }))
    assert.equal(from.useTable(first), false)
    const second = buildTable(from.wantedTables()[0]!)
    assert.equal(from.useTable(second), true)
    const before = homes(from)
    from.apply(state(3, { weightShare: 1 }))
    assert.equal(from.wantedTables().length, 1)
    assert.deepEqual(homes(from), before)
    from.apply(state(3, { weightShare: 0.25 }))
    assert.deepEqual(from.wantedTables(), [])
  })
}

test('an unchanged upstream takes its table along', () => {
  const list = servers([1, 2, 3])
  const old = large('ring', list)
  homes(old)
  const from = large('ring', list)
  assert.equal(from.wantedTables().length, 1)
  from.adopt(old)
  assert.deepEqual(from.wantedTables(), [])
})

test('small upstreams build their table at the first pick, one for each tier', () => {
  const from = large('maglev', servers([1, 1, 1], { 2: { tier: 1 } }))
  assert.deepEqual(
    from.wantedTables().map(({ ids }) => ids.length),
    [2, 1],
  )
  homes(from)
  assert.deepEqual(
    from.wantedTables().map(({ ids }) => ids.length),
    [1],
  )
})
