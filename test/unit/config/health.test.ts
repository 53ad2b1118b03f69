import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UpstreamConfig } from '../../../src/shared/config/model.ts'
import { configOf, configWith, messagesOf, problemsOf } from './helper.ts'

const upstreamOf = async (upstream: string, env: Record<string, string> = {}): Promise<UpstreamConfig> => {
  const [built] = (await configOf(configWith({ upstream }), env)).upstreams
  assert.ok(built)
  return built
}
const messages = (upstream: string) => messagesOf(configWith({ upstream }))
const times = { intervalMs: 2000, fastIntervalMs: 500, downIntervalMs: 5000, timeoutMs: 1000, rise: 2, fall: 3 }
const tcp = { check: { kind: 'tcp' }, port: null, ...times, initial: 'hold' }

test('servers are checked by default, and judged by their traffic', async () => {
  const api = await upstreamOf('keepAlive: {}')
  assert.deepEqual(api.health, tcp)
  assert.deepEqual(api.passiveHealth, {
    failures: 5,
    ratio: 0.5,
    minimum: 20,
    windowMs: 10_000,
    ejectForMs: 10_000,
    maxEjectForMs: 300_000,
    maxEjected: 0.5,
    statuses: [
      [502, 502],
      [503, 503],
      [504, 504],
    ],
    latencyMs: null,
  })
  assert.deepEqual([api.agent, api.slowStart], [null, { ms: 10_000, floor: 0.1 }])
})

test('off is off', async () => {
  const api = await upstreamOf('health: off\n    passiveHealth: "${P}"\n    agent: off\n    slowStart: off', { P: 'off' })
  assert.deepEqual([api.health, api.passiveHealth, api.agent, api.slowStart], [null, null, null, null])
  assert.deepEqual(await messages('health: on'), ['upstreams.api.health: expected off or map, found "on"'])
  assert.deepEqual(await messages('slowStart: of'), ['upstreams.api.slowStart: expected off or duration, found "of"; did you mean "off"?'])
  assert.deepEqual(await messages('slowStart: 10'), [
    'upstreams.api.slowStart: expected a unit after the number: 10ms, 10s, 10m or 10h, found "10"',
  ])
})

test('a check connects, or asks for a path', async () => {
  for (const health of ['{}', '{ tcp: true }']) assert.deepEqual((await upstreamOf(`health: ${health}`)).health, tcp)
  const plain = { method: 'GET', host: null, headers: [], statuses: [[200, 399]], body: null, softStop: null }
  assert.deepEqual((await upstreamOf('health: { http: "/healthz?full=1" }')).health?.check, {
    kind: 'http',
    path: '/healthz?full=1',
    ...plain,
  })
  const full = `health: { http: /h, method: post, host: "a.b:80", headers: { X-A: [b, c] }, status: [200, 204-299, "301"], body: { regex: "^ok" },
      softStop: 404, port: 81, interval: 1s, fastInterval: 100ms, downInterval: 1m, timeout: 200ms, rise: 1, fall: 1, initial: down }`
  assert.deepEqual((await upstreamOf(full)).health, {
    check: {
      kind: 'http',
      path: '/h',
      method: 'POST',
      host: 'a.b:80',
      headers: [
        ['X-A', 'b'],
        ['X-A', 'c'],
      ],
      statuses: [
        [200, 200],
        [204, 299],
        [301, 301],
      ],
      body: { regex: '^ok' },
      softStop: 404,
    },
    port: 81,
    intervalMs: 1000,
    fastIntervalMs: 100,
    downIntervalMs: 60_000,
    timeoutMs: 200,
    rise: 1,
    fall: 1,
    initial: 'down',
  })
})

test('a check does one thing', async () => {
  const at = 'upstreams.api.health'
  assert.deepEqual(await problemsOf(configWith({ upstream: 'health: { tcp: true, http: /x }' })), [
    'weir.yaml:10:15: upstreams.api.health.tcp: not together with http; http connects too: remove it',
  ])
  assert.deepEqual(await messages('health: { tcp: false }'), [`${at}.tcp: expected true, found the word false`])
  for (const option of ['method: GET', 'host: a', 'headers: {}', 'status: 200', 'body: x', 'softStop: 404'])
    assert.deepEqual(await messages(`health: { ${option} }`), [
      `${at}.${option.split(':')[0]}: has no effect without http; name a path: http: /healthz`,
    ])
  assert.deepEqual(await messages('health: { http: /, method: head, body: ok }'), [
    `${at}.body: has no effect, as the response to HEAD has no body; remove it, or write method: GET`,
  ])
})

test('what a check asks and expects is checked', async () => {
  const bad = async (options: string) => (await messages(`health: { http: /, ${options} }`)).join()
  for (const status of ['99', '600', '2xx', '200-', '200-600', '"200,204"', '20.5', '-200'])
    assert.match(
      await bad(`status: ${status}`),
      /status: expected a status from 100 to 599, or a range of them such as 500-599, found/,
      status,
    )
  assert.match(await bad('status: 399-200'), /the range 399-200 ends before it begins; write "200-399"/)
  assert.match(await bad('status: []'), /expected at least one entry/)
  assert.match(await bad('softStop: 204'), /softStop: 204 is a status of a server that is well; take it out of status/)
  assert.match(await bad('softStop: 404, status: [200, 400-499]'), /404 is a status of a server that is well/)
  assert.match(await bad('headers: { Host: a }'), /use host of the health check/)
  assert.match(await bad('headers: { Content-Length: "1" }'), /written by weir itself/)
  assert.match(await bad('headers: { A: x, a: y }'), /the same header as "A"/)
  assert.match(await bad('host: server:x'), /expected a host name, with a port if need be/)
  assert.match(await bad('body: ""'), /expected a text that is not empty/)
  assert.match(await bad('body: { regex: "(" }'), /not a valid regular expression/)
  for (const path of ['healthz', '""', '"/a b"', '"/a#b"', '/ä'])
    assert.match((await messages(`health: { http: ${path} }`)).join(), /health\.http: /, path)
})

test('a check ends before the next begins, and defaults give way to a short interval', async () => {
  const { health } = await upstreamOf('health: { interval: 200ms }')
  assert.deepEqual([health?.intervalMs, health?.fastIntervalMs, health?.timeoutMs], [200, 200, 200])
  assert.deepEqual(await messages('health: { interval: 1s, timeout: 1001ms, fastInterval: 2s }'), [
    'upstreams.api.health.timeout: 1001ms is longer than the interval of 1s',
    'upstreams.api.health.fastInterval: 2s is longer than the interval of 1s',
  ])
  assert.deepEqual(await messages('health: { timeout: 3s }'), ['upstreams.api.health.timeout: 3s is longer than the interval of 2s'])
  assert.deepEqual(await messages('agent: { port: 1, timeout: 6s }'), ['upstreams.api.agent.timeout: 6s is longer than the interval of 5s'])
  for (const health of ['interval: 1s, timeout: 1s', 'interval: 1s, fastInterval: 1s', 'downInterval: 1s'])
    assert.deepEqual(await messages(`health: { ${health} }`), [])
  assert.match((await messages('health: { interval: 9ms }')).join(), /expected at least 10ms, found 9ms/)
})

test('an agent has a port', async () => {
  assert.deepEqual((await upstreamOf('agent: { port: 9000 }')).agent, { port: 9000, intervalMs: 5000, timeoutMs: 1000 })
  assert.match((await messages('agent: {}')).join(), /agent: "port" is missing; expected an integer from 1 to 65535/)
  const unix = (upstream: string) => messagesOf(configWith({ upstream }).replace('127.0.0.1:9001', 'unix:/run/a.sock'))
  assert.deepEqual(await unix('agent: { port: 9000 }\n    health: { port: 1 }'), [
    'upstreams.api.agent.port: unix:/run/a.sock has no ports; give it an upstream of its own',
    'upstreams.api.health.port: unix:/run/a.sock has no ports; give it an upstream of its own',
  ])
  assert.deepEqual(await unix('health: { http: / }'), [])
})

test('passive health is set in each part', async () => {
  const passive = `passiveHealth: { failures: 1, ratio: 5%, minimum: 1, window: 1s, ejectFor: 10m, maxEjected: 100%, status: 500-599, latency: 2s }`
  assert.deepEqual((await upstreamOf(passive)).passiveHealth, {
    failures: 1,
    ratio: 0.05,
    minimum: 1,
    windowMs: 1000,
    ejectForMs: 600_000,
    maxEjectForMs: 600_000,
    maxEjected: 1,
    statuses: [[500, 599]],
    latencyMs: 2000,
  })
  assert.deepEqual((await upstreamOf('passiveHealth: { status: [] }')).passiveHealth?.statuses, [])
  assert.deepEqual(await messages('passiveHealth: { ejectFor: 20s, maxEjectFor: 19s }'), [
    'upstreams.api.passiveHealth.maxEjectFor: expected at least ejectFor, which is 20s, found 19s',
  ])
  assert.match((await messages('passiveHealth: { maxEjectFor: 9s }')).join(), /expected at least ejectFor, which is 10s, found 9s/)
  assert.match((await messages('passiveHealth: { status: 200 }')).join(), /expected a status from 400 to 599/)
  assert.match((await messages('passiveHealth: { ratio: 0% }')).join(), /expected at least 1%, found 0%/)
  assert.match((await messages('passiveHealth: { ratio: 0.5 }')).join(), /ratio: expected a share in percent/)
})
