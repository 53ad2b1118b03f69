import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestFunction } from '../../../src/index-types.ts'
import { configFromInput } from '../../../src/shared/config/load.ts'
import type { UpstreamConfig } from '../../../src/shared/config/model.ts'
import { configOf, configWith, messagesOf } from './helper.ts'

const upstreamOf = async (upstream: string): Promise<UpstreamConfig> => {
  const [built] = (await configOf(configWith({ upstream }))).upstreams
  assert.ok(built)
  return built
}
const messages = (upstream: string) => messagesOf(configWith({ upstream }))
const routeOf = async (route: string) => (await configOf(configWith({ route }))).listeners[0]?.routes[0]

test('requests wait by default, and nothing is hedged or cut off', async () => {
  const api = await upstreamOf('keepAlive: {}')
  assert.deepEqual(api.queue, { max: 1024, timeoutMs: 5000 })
  assert.deepEqual(api.hold, { max: 1000, timeoutMs: 3000 })
  assert.deepEqual(api.limits, { inFlight: 10_000 })
  assert.deepEqual([api.breaker, api.hedge, api.sticky], [null, null, null])
})

test('waiting, limits, breaker and hedge are set in each part', async () => {
  const api = await upstreamOf(`queue: { max: 1, timeout: 1ms }
    hold: { timeout: 2s }
    limits: { inFlight: 5 }
    breaker: { errors: 10%, latency: 1s, minimum: 1, window: 1s, open: 2s, ramp: 0s }
    hedge: { after: 50ms }`)
  assert.deepEqual([api.queue, api.hold, api.limits], [{ max: 1, timeoutMs: 1 }, { max: 1000, timeoutMs: 2000 }, { inFlight: 5 }])
  assert.deepEqual(api.breaker, { errors: 0.1, latencyMs: 1000, minimum: 1, windowMs: 1000, openMs: 2000, rampMs: 0 })
  assert.deepEqual(api.hedge, { afterMs: 50 })
  const preset = { errors: 0.5, latencyMs: null, minimum: 20, windowMs: 10_000, openMs: 10_000, rampMs: 10_000 }
  assert.deepEqual((await upstreamOf('breaker: {}')).breaker, preset)
  const off = await upstreamOf('queue: off\n    hold: off\n    breaker: off\n    hedge: off')
  assert.deepEqual([off.queue, off.hold, off.breaker, off.hedge], [null, null, null, null])
})

test('what cannot be is refused', async () => {
  assert.match((await messages('queue: { max: 0 }')).join(), /queue\.max: expected an integer from 1 to 1000000/)
  assert.match((await messages('hedge: {}')).join(), /hedge: "after" is missing; expected a duration/)
  assert.match((await messages('breaker: { errors: 0% }')).join(), /expected at least 1%, found 0%/)
  assert.match((await messages('limits: { inFlight: none }')).join(), /inFlight: expected an integer from 1/)
  assert.match((await messages('retry: { statuses: [200] }')).join(), /statuses: expected a status from 400 to 599|statuses\[0\]/)
  assert.match((await messages('retry: { budget: 101% }')).join(), /a share of at most 100%/)
  assert.match((await messages('timeouts: { total: non }')).join(), /expected none or duration, found "non"; did you mean "none"\?/)
})

test('retries are set in each part', async () => {
  const retry =
    'retry: { attempts: 1, on: [connect], statuses: [503, 500-502], budget: 5%, maxTime: 1s, backoff: { base: 1s }, replayBytes: 0 }'
  assert.deepEqual((await upstreamOf(retry)).retry, {
    attempts: 1,
    on: ['connect'],
    statuses: [
      [503, 503],
      [500, 502],
    ],
    budget: 0.05,
    maxMs: 1000,
    backoff: { baseMs: 1000, maxMs: 1000 },
    replayBytes: 0,
  })
  assert.deepEqual((await upstreamOf('retry: { statuses: 503 }')).retry.statuses, [[503, 503]])
  assert.deepEqual(await messages('retry: { backoff: { base: 50ms, max: 49ms } }'), [
    'upstreams.api.retry.backoff.max: expected at least base, which is 50ms, found 49ms',
  ])
  assert.match((await messages('retry: { backoff: { max: 24ms } }')).join(), /expected at least base, which is 25ms, found 24ms/)
})

test('a hedge is a retry', async () => {
  assert.deepEqual(await messages('hedge: { after: 1s }\n    retry: { attempts: 0 }'), [
    'upstreams.api.hedge: has no effect, as retry.attempts is 0 and a hedged request is a retry; remove it, or allow an attempt',
  ])
  assert.deepEqual(await messages('hedge: off\n    retry: { attempts: 0 }'), [])
})

test('a route differs from its upstream only in what it names', async () => {
  const route = await routeOf('upstream: api, timeouts: { firstByte: 1s, total: none }, retry: { attempts: 0, statuses: 503 }')
  assert.deepEqual(route?.timeouts, { firstByteMs: 1000, totalMs: null })
  assert.deepEqual(route?.retry, { attempts: 0, statuses: [[503, 503]] })
  const all = await routeOf('upstream: api, timeouts: { connect: 1s, firstByte: 2s, idle: 3s, tunnel: 4s, total: 5s }, retry: { on: [] }')
  assert.deepEqual(all?.timeouts, { connectMs: 1000, firstByteMs: 2000, idleMs: 3000, tunnelMs: 4000, totalMs: 5000 })
  assert.deepEqual(all?.retry, { on: [] })
  const plain = await routeOf('upstream: api')
  assert.deepEqual([plain?.timeouts, plain?.retry], [{}, {}])
  const budget = await messagesOf(configWith({ route: 'upstream: api, retry: { budget: 10% }' }))
  assert.match(budget.join(), /retry\.budget: unknown key; known here: attempts, on, statuses/)
})

test('a route that asks no server has no timeouts and no retries', async () => {
  const text = configWith({ route: 'answer: {}, timeouts: { total: 1s }, retry: { attempts: 1 }' })
  assert.deepEqual(
    (await messagesOf(text)).filter((line) => line.includes('routes[0]')),
    ['timeouts', 'retry'].map(
      (key) => `listeners.web.routes[0].${key}: has no effect, as the route has answer and asks no server; remove it`,
    ),
  )
})

test('a function may send requests to an upstream that no other route sends them to', () => {
  const load = (onRequest: RequestFunction | undefined) =>
    configFromInput(
      {
        listeners: {
          web: { bind: ':0', routes: [{ answer: {}, ...(onRequest === undefined ? {} : { onRequest }) }] },
          db: { bind: ':0', protocol: 'tcp', upstream: 'db' },
        },
        upstreams: { db: { servers: ['a:1'], hedge: { after: '1s' } } },
      },
      'test',
    )
  assert.equal(load(() => ({ upstream: 'db' })).ok, true)
  assert.equal(load(undefined).ok, false)
})

test('what speaks of requests is refused where there are only connections', async () => {
  const text = (options: string, route = 'upstream: db') => `
listeners: { db: { bind: ":1", protocol: tcp, routes: [{ ${route} }] } }
upstreams: { db: { servers: ["a:1"], ${options} } }
`
  const why = 'has no effect, as only tcp and tls listeners use this upstream; remove it'
  assert.deepEqual(await messagesOf(text('sticky: {}, hedge: { after: 1s }, retry: { statuses: [503] }')), [
    ...['sticky', 'hedge', 'retry.statuses'].map((key) => `upstreams.db.${key}: ${why}`),
  ])
  assert.deepEqual(await messagesOf(text('sticky: off, hedge: off, retry: { statuses: [] }')), [])
  const only = 'only on a listener with protocol http or https; this one has protocol tcp'
  const every = 'timeouts: { connect: 1s, firstByte: 1s, idle: 1s, tunnel: 1s, total: 1s }, retry: { attempts: 1, on: [], statuses: 503 }'
  assert.deepEqual(
    await messagesOf(text('keepAlive: {}', `upstream: db, ${every}`)),
    ['timeouts.firstByte', 'timeouts.idle', 'timeouts.total', 'retry.statuses'].map((key) => `listeners.db.routes[0].${key}: ${only}`),
  )
})
