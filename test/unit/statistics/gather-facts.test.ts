import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from '../../../src/primary/control/operation.ts'
import { HealthChecker } from '../../../src/primary/health/checker.ts'
import { ServerTable } from '../../../src/primary/server-table.ts'
import { type FactSources, gatherFacts, gatherRows } from '../../../src/primary/statistics/gather-facts.ts'
import { machineMs } from '../../../src/shared/base/clock.ts'
import { configOf, fake } from '../control/fixtures.ts'

const sources = (operation: Operation): FactSources => ({
  operation,
  routes: () => [{ row: 64, listener: 'web', name: 'everything' }],
  reloads: () => ({ applied: 1, refused: 0 }),
  lostRecords: () => null,
  certificates: () => [{ listener: 'web', name: 'a.example', notAfterMs: 1 }],
  stateSince: () => new Date('2026-01-31T12:00:00.000Z'),
})

const figures = { count: 0, lastMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 }

/** With what statistics ask of a fleet beside its table. */
function whole({ operation, table }: { operation: Operation; table: ServerTable }): Operation {
  const checker = new HealthChecker({ events: { verdict: () => {}, drain: () => {}, agent: () => {} } })
  return { ...operation, fleet: { table, checker, hub: { lagMs: () => figures } } as unknown as Operation['fleet'] }
}

test('facts are what the table, the workers and the process say', () => {
  const made = fake()
  made.table.setAdmin('api/b', 'drain', machineMs(), 'by command')
  made.inFlight.set('api/b', 3)
  made.table.setEjected('api/a', { isEjected: true, isProbing: false }, machineMs(), 'five failures')
  made.table.setWeightShare('api/a', 0.5, machineMs())
  made.table.setBreaker('api', 0.25, machineMs())
  const { upstreams, work, routes, workers, generation } = gatherFacts(sources({ ...whole(made), state: () => 'reloading' }))
  const [api] = upstreams
  const [a, b] = api?.servers ?? []
  assert.deepEqual([api?.breakerPass, api?.isPanicking, generation], [0.25, true, 7])
  assert.deepEqual(
    [a?.state, a?.reason, a?.ejections, a?.weight, a?.weightPercent, a?.takesTraffic],
    ['ejected', 'five failures', 1, 2, 50, false],
  )
  assert.deepEqual([b?.state, b?.admin], ['draining', 'drain'])
  assert.deepEqual(
    work.map(({ kind, subject, progress }) => [kind, subject, progress]),
    [
      ['reload', '/etc/weir.yaml', 'the config is being applied'],
      ['drain', 'api/b', '3 in flight; by command'],
    ],
  )
  assert.deepEqual(
    routes.map(({ row, name }) => [row, name]),
    [
      [0, 'none'],
      [64, 'everything'],
    ],
  )
  assert.equal(workers[0]?.isUp, true)
})

test('for 1,000 servers the primary spends a few milliseconds', () => {
  const servers = Array.from({ length: 1_000 }, (_, i) => `{ name: s${i}, address: "10.0.${i >> 8}.${i & 255}:80" }`)
  const config = configOf(`
listeners: { web: { bind: "127.0.0.1:0", protocol: http, routes: [{ match: {}, upstream: api }] } }
upstreams: { api: { health: off, servers: [${servers.join(', ')}] } }
`)
  const table = new ServerTable({ epoch: 1, rows: 2_000, log: () => {}, onChange: () => {} })
  const definitions = config.upstreams.flatMap((upstream) => upstream.servers.map((one) => ({ upstream: upstream.name, config: one })))
  table.define(
    definitions.map((one) => ({ ...one, initial: 'up', isChecked: false })),
    machineMs(),
  )
  const all = sources({ ...whole({ operation: fake().operation, table }), config: () => config })
  // Its own time on a core, and the best of some: what else runs on the machine only makes it longer.
  const costs = Array.from({ length: 7 }, () => {
    const before = process.cpuUsage()
    structuredClone(gatherFacts(all))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }).sort((one, other) => one - other)
  assert.equal(gatherRows(all).filter(({ of }) => of === 'server').length, 1_000)
  assert.ok((costs[0] as number) < 20, `${costs}`)
})
