import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balancerConfig } from '../../../src/cli/bench/balancer-config.ts'
import { pointsOf } from '../../../src/cli/bench/live-profiles.ts'
import { httpUpstreams, ownFleets } from '../../../src/cli/bench/own-fleets.ts'
import { policiesNamed } from '../../../src/cli/bench/policies.ts'
import { meanMs } from '../../../src/cli/bench/service-time.ts'
import { configFromInput, configFromText } from '../../../src/shared/config/load.ts'
import type { UpstreamConfig } from '../../../src/shared/config/model.ts'

const text = `
listeners:
  web:
    bind: [":8080"]
    routes:
      - { match: { path: /a/ }, split: { api: 90%, canary: 10% } }
      - { match: {}, upstream: api }
  db: { bind: [":5432"], protocol: tcp, upstream: postgres }
upstreams:
  postgres: { servers: ["127.0.0.1:5433"] }
  unused: { servers: ["127.0.0.1:1"] }
  canary: { servers: ["127.0.0.1:9009"] }
  api:
    balance: consistent-hash
    hash: { key: "header:x-user", table: maglev, boundedLoad: 2 }
    servers:
      - { name: small, address: "127.0.0.1:9001" }
      - { name: large, address: "127.0.0.1:9002", weight: 3, maxConnections: 200 }
      - { name: spare, address: "127.0.0.1:9003", backup: true }
`

function upstreams(): UpstreamConfig[] {
  const loaded = configFromText(text, 'mine.yaml')
  assert.ok(loaded.ok)
  return httpUpstreams(loaded.config)
}

const plan = { profiles: null, policies: null, isQuick: true, rate: null }

test('each upstream that gets HTTP is a fleet, with its servers and its own policy first', () => {
  const fleets = ownFleets(upstreams(), plan)
  assert.deepEqual(
    fleets.map(({ name }) => name),
    ['canary', 'api'],
  )
  const api = fleets[1]!
  assert.deepEqual(
    api.servers.map(({ name, weight, maxConnections, tier, atOnce }) => [name, weight, maxConnections, tier, atOnce]),
    [
      ['small', 1, null, 0, 3],
      ['large', 3, 200, 0, 8],
      ['spare', 1, null, 1, 3],
    ],
  )
  assert.equal(api.configured, api.policies[0]?.id)
  assert.equal(api.policies[0]?.name, 'consistent-hash (maglev, boundedLoad 2)')
  assert.ok(api.policies.length > 3)
  assert.match(api.question, /made-up service times/)
})

test('without a running balancer servers are made for the load, whatever their number', () => {
  const perSecond = (rate: number | null) => {
    const api = ownFleets(upstreams(), { ...plan, rate })[1]!
    const first = api.servers.filter(({ tier }) => tier === 0)
    return { used: api.rate / first.reduce((sum, { atOnce, service }) => sum + (atOnce * 1_000) / meanMs(service), 0) }
  }
  for (const rate of [null, 300, 1_000]) assert.ok(Math.abs(perSecond(rate).used - 0.6) < 0.01)
})

test('servers take as long as a running balancer has measured, at its rate within bounds', () => {
  const counts = (ms: number) => pointsOf({ [ms * 1_000]: 900, [ms * 10_000]: 100 })
  const profile = (requestsPerSecond: number) =>
    new Map([
      [
        'api',
        {
          requestsPerSecond,
          servers: new Map([
            ['small', counts(10)],
            ['large', counts(40)],
          ]),
        },
      ],
    ])
  const [, api] = ownFleets(upstreams(), { ...plan, profiles: profile(300) })
  const means = Object.fromEntries(api!.servers.map(({ name, service }) => [name, Math.round(meanMs(service))]))
  assert.deepEqual(means, { small: 19, large: 75, spare: 47 })
  assert.deepEqual([api!.rate, api!.servers[1]?.atOnce], [300, Math.ceil((225 * meanMs(api!.servers[1]!.service)) / 600)])
  assert.match(api!.question, /of which 2 take as long as the running balancer has measured/)
  const [, busy] = ownFleets(upstreams(), { ...plan, profiles: profile(50_000) })
  assert.deepEqual(
    [busy!.rate, busy!.notes[0]],
    [1_000, 'The running balancer has 50,000 requests/s; measured is with 1000, and servers to match.'],
  )
})

test('a histogram of too few responses is none', () => {
  assert.deepEqual(pointsOf({ 1000: 99 }), [])
  assert.deepEqual(pointsOf({ 2000: 40, 1000: 60 }), [
    { atMostMs: 1, count: 60 },
    { atMostMs: 2, count: 40 },
  ])
})

test('the balancer gets a valid config with an upstream for each policy over the same servers', () => {
  const [, api] = ownFleets(upstreams(), { ...plan, policies: policiesNamed(['consistent-hash', 'first', 'source-hash']) })
  const ports = { small: 9001, large: 9002, spare: 9003 }
  const input = balancerConfig({ fleet: api!, ports, workers: 2, controlSocket: '/tmp/weir-bench-test.sock' })
  const loaded = configFromInput(input as Parameters<typeof configFromInput>[0], '<bench>')
  assert.ok(loaded.ok, JSON.stringify(loaded))
  const first = loaded.config.upstreams.find(({ name }) => name === 'first')
  assert.deepEqual(
    first?.servers.map(({ maxConnections }) => maxConnections),
    [3, 200, 3],
  )
  assert.deepEqual(
    loaded.config.upstreams.map(({ name }) => name),
    api!.policies.map(({ id }) => id),
  )
  for (const { servers } of loaded.config.upstreams)
    assert.deepEqual(
      servers.map(({ tier }) => tier),
      [0, 0, 1],
    )
})

test('a policy is named by its id, or all tables at once', () => {
  assert.deepEqual(
    policiesNamed(['ring', 'least-time']).map(({ id }) => id),
    ['least-time', 'ring'],
  )
  assert.equal(policiesNamed(['consistent-hash']).length, 6)
  assert.throws(() => policiesNamed(['fastest']), /no policy is called "fastest": there are consistent-hash, power-of-two/)
})
