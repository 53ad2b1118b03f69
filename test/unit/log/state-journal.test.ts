import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StateJournal } from '../../../src/primary/log/state-journal.ts'
import { ServerTable } from '../../../src/primary/server-table.ts'
import { configOf, configWith } from '../config/helper.ts'

test('it tells what state each server of an upstream was in at a time, why, and what changed then', async () => {
  const { upstreams } = await configOf(configWith())
  const [server] = upstreams[0]?.servers ?? []
  assert.ok(server !== undefined)
  const table = new ServerTable({ epoch: 1, rows: 10, log: () => undefined, onChange: () => undefined })
  const journal = new StateJournal(table)
  const define = (...names: string[]) =>
    table.define(
      names.map((name) => ({ upstream: 'api', config: { ...server, name }, initial: 'unknown' as const, isChecked: true })),
      0,
    )
  define('a', 'b')
  journal.look(1_000)
  table.setHealth('api/a', 'up', 1)
  table.setHealth('api/b', 'up', 1)
  journal.look(2_000)
  table.setWeightShare('api/a', 0.5, 2)
  journal.look(2_500)
  table.setHealth('api/a', 'down', 3, 'L4CON connection refused')
  journal.look(3_000)
  define('b')
  journal.look(4_000)

  assert.deepEqual(journal.between('api', 2_900, 3_500), [
    {
      server: 'api/a',
      atFirst: { atMs: 2_000, state: 'up', why: '' },
      later: [{ atMs: 3_000, state: 'down', why: 'L4CON connection refused' }],
    },
    { server: 'api/b', atFirst: { atMs: 2_000, state: 'up', why: '' }, later: [] },
  ])
  assert.deepEqual(
    journal.between('api', 1_500, 1_600).map(({ atFirst }) => atFirst?.state),
    ['unknown', 'unknown'],
  )
  assert.deepEqual(
    journal.between('api', 4_500, 5_000).map((story) => story.server),
    ['api/b'],
    'one that is gone is not told of later requests',
  )
  assert.deepEqual(journal.between('ap', 0, 9_000), [])
})

test('a server that changes all the time is remembered in part', async () => {
  const { upstreams } = await configOf(configWith())
  const [server] = upstreams[0]?.servers ?? []
  assert.ok(server !== undefined)
  const table = new ServerTable({ epoch: 1, rows: 10, log: () => undefined, onChange: () => undefined })
  table.define([{ upstream: 'api', config: server, initial: 'unknown', isChecked: true }], 0)
  const id = table.servers()[0]?.server as string
  const journal = new StateJournal(table)
  for (let i = 0; i < 500; i++) {
    table.setHealth(id, i % 2 === 0 ? 'down' : 'up', i)
    journal.look(i * 10)
  }
  const [story] = journal.between('api', 4_900, 5_000)
  assert.deepEqual([story?.atFirst?.atMs, story?.later.length], [4_900, 9])
  assert.equal(journal.between('api', 10, 20)[0]?.atFirst ?? null, null)
})
