import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSameListener, isSameRoute, isSameServer, isSameUpstream } from '../../../src/primary/reload/identity.ts'
import { planOf } from '../../../src/primary/reload/plan.ts'
import { keyPath } from '../../../src/shared/config/key-path.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import { built, lines, load, steps } from './fixtures.ts'

const base = () => ({
  listeners: { web: { bind: ':8080', routes: [{ match: { host: 'api.example.com', path: '/v1/' }, upstream: 'api' }] } },
  upstreams: { api: { servers: ['10.0.0.1:80', { name: 'b', address: '10.0.0.2:80', weight: 3 }] } } as Record<string, unknown>,
})

test('listeners are added, and removed ones drain their connections', () => {
  const after = { ...base(), listeners: { other: { bind: [':9090', ':9091'], upstream: 'api' } } }
  assert.deepEqual(lines(base(), after), [
    'drains remove 7: listener web on :8080 removed',
    'live add 0: listener other on :9090, :9091 added: http, 1 route',
  ])
})

test('addresses of a listener come and go one by one', () => {
  const after = base()
  after.listeners.web.bind = '127.0.0.1:8080'
  assert.deepEqual(lines(base(), after), [
    'drains remove 7: listener web: address :8080 removed',
    'live add 0: listener web: address 127.0.0.1:8080 added',
  ])
})

test('a listener with another protocol drains', () => {
  const raw = (protocol: string) => ({ listeners: { db: { bind: ':1', protocol, upstream: 'api' } }, upstreams: base().upstreams })
  assert.deepEqual(lines(raw('tcp'), raw('http')), ['drains change 7: listener db: protocol from tcp to http'])
})

test('routes are known by what they match, whatever line they stand in', () => {
  const before = base()
  const after = base()
  before.listeners.web.routes.push({ match: { host: 'old.example.com', path: '/' }, upstream: 'api' })
  after.listeners.web.routes.unshift({ match: { host: 'new.example.com', path: '=/x' }, upstream: 'api' })
  Object.assign(after.listeners.web.routes[1] ?? {}, { upstream: 'more', timeouts: { connect: '1500ms' } })
  after.upstreams['more'] = { servers: ['10.0.0.3:80'] }
  assert.deepEqual(lines(before, after), [
    'live remove 7: route for old.example.com / of listener web removed',
    'live change 7: route for api.example.com /v1/ of listener web changed: upstream from api to more, timeouts.connect from not set to 1500ms',
    'live add 7: route for new.example.com =/x of listener web added: to more'.replace('more', 'api'),
    'live add 0: upstream more added, with 1 server',
  ])
  assert.deepEqual(
    steps(before, after).map(({ at }) => at),
    ['listeners.web.routes[1]', 'listeners.web.routes[1]', 'listeners.web.routes[0]', 'upstreams.more'],
  )
})

test('matches are said in words', () => {
  const match = {
    method: ['GET', 'PUT'],
    header: { 'x-a': true, 'x-b': { regex: 'c' } },
    clientIp: '10.0.0.0/8',
    not: { query: { q: '1' } },
  }
  const after = {
    ...base(),
    listeners: {
      web: {
        bind: ':8080',
        routes: [
          { match, redirect: { to: '/x' } },
          { match: {}, answer: {} },
        ],
      },
    },
  }
  assert.deepEqual(lines(base(), after).slice(1), [
    'live add 7: route for method GET or PUT header x-a header x-b ~c from 10.0.0.0/8 not (query q 1) of listener web added: redirects to /x with 308',
    'live add 7: route for everything of listener web added: answers 200',
  ])
})

test('the short form of a route, another order of alternatives and another place are no change', () => {
  const short = { listeners: { web: { bind: ':1', upstream: 'api' } }, upstreams: base().upstreams }
  const long = { listeners: { web: { bind: ':1', routes: [{ upstream: 'api' }] } }, upstreams: base().upstreams }
  assert.deepEqual(lines(short, long), [])
  const hosts = (host: string[]) => ({ ...base(), listeners: { web: { bind: ':1', routes: [{ match: { host }, upstream: 'api' }] } } })
  assert.deepEqual(lines(hosts(['a.b', 'c.d']), hosts(['c.d', 'a.b'])), [])
})

test('the order of routes and of servers is a change, as it can count', () => {
  const before = base()
  before.listeners.web.routes.push({ match: { host: 'b.c', path: '/' }, upstream: 'api' })
  const after = { listeners: { web: { bind: ':8080', routes: before.listeners.web.routes.toReversed() } }, upstreams: base().upstreams }
  assert.deepEqual(lines(before, after), ['live change 7: listener web: order of its routes changed'])
  const turned = base()
  ;(turned.upstreams['api'] as { servers: unknown[] }).servers.reverse()
  assert.deepEqual(lines(base(), turned), ['live change 6: upstream api: order of its servers changed'])
})

test('servers are known by their names: removed and moved ones drain, the rest is live', () => {
  const after = base()
  after.upstreams['api'] = {
    servers: [
      { name: 'b', address: '10.0.0.9:80', weight: 1 },
      { name: 'c', address: '10.0.0.3:80' },
      { dns: 'app.internal:80', weight: 2 },
    ],
  }
  assert.deepEqual(lines(base(), after), [
    'drains remove 3: server api/10.0.0.1:80 removed',
    'drains change 3: server api/b: address from 10.0.0.2:80 to 10.0.0.9:80',
    'live change 3: server api/b: weight from 3 to 1',
    'live add 0: server api/c added at 10.0.0.3:80',
    'live add 0: DNS name app.internal:80 of upstream api added',
  ])
  assert.deepEqual(steps(base(), after).map(({ at }) => at)[0], 'upstreams.api.servers["10.0.0.1:80"]')
})

test('a removed upstream drains what runs on its servers', () => {
  const before = base()
  before.upstreams['old'] = { servers: ['10.0.0.7:80', '10.0.0.8:80', { srv: '_http._tcp.app.internal' }] }
  assert.deepEqual(lines(before, base()), ['drains remove 6: upstream old removed, with 2 servers and 1 name to look up'])
  const [step] = planOf(built(before), built(base()), { ...load, discovered: () => 4 })
  assert.equal(step?.connections, 10)
})

test('a section that is switched on or off is one step, with what is not as by default', () => {
  const healthy = (health: unknown) => ({ ...base(), upstreams: { api: { servers: ['10.0.0.1:80'], health } } })
  assert.deepEqual(lines(healthy('off'), healthy({ http: '/up', interval: '3s' })), [
    'live change 3: upstream api: health from off to { http: /up, interval: 3s }',
  ])
  assert.deepEqual(lines(healthy({ tcp: true }), healthy('off')), ['live change 3: upstream api: health from on to off'])
  assert.deepEqual(lines(healthy({ tcp: true }), healthy({ http: '/up' })), [
    'live change 3: upstream api: health.http from not set to /up',
  ])
})

test('secrets, functions and long texts are not shown', () => {
  const sticky = (secret: string) => ({ ...base(), upstreams: { api: { servers: ['10.0.0.1:80'], sticky: { secret } } } })
  assert.deepEqual(lines(sticky('0123456789abcdef'), sticky('fedcba9876543210')), ['live change 3: upstream api: sticky.secret changed'])
  assert.deepEqual(lines({ ...base(), upstreams: { api: { servers: ['10.0.0.1:80'] } } }, sticky('0123456789abcdef')), [
    'live change 3: upstream api: sticky from off to { secret: … }',
  ])
  const page = (body: string) => ({ ...base(), errorPages: { 503: { body } } })
  assert.deepEqual(lines(page('a'.repeat(100)), page('b'.repeat(100))), ['live change 7: errorPages.503.body changed'])
  const routed = (onRequest?: () => undefined) => {
    const match = { host: 'a.b' }
    return { ...base(), listeners: { web: { bind: ':1', routes: [{ match, upstream: 'api', ...(onRequest && { onRequest }) }] } } }
  }
  const one = routed(() => undefined)
  assert.deepEqual(lines(routed(), one), ['live change 7: route for a.b of listener web changed: onRequest added'])
  assert.deepEqual(
    lines(
      one,
      routed(() => 0 as never),
    ),
    ['live change 7: route for a.b of listener web changed: onRequest changed'],
  )
  assert.deepEqual(lines(one, routed()), ['live change 7: route for a.b of listener web changed: onRequest removed'])
})

test('what a restart is needed for says so', () => {
  assert.deepEqual(lines({ ...base(), workers: 2 }, { ...base(), workers: 4, admin: { bind: '127.0.0.1:9900' } }), [
    'restart change 7: workers from 2 to 4',
    'restart change 7: admin from off to { bind: 127.0.0.1:9900 }',
  ])
})

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
const shape = fc.record({
  listeners: names,
  servers: names,
  addresses: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1 }),
  routes: fc.uniqueArray(fc.constantFrom('/1/', '/2/', '=/3'), { minLength: 1 }),
})

test('what is removed and added leads from the names of one config to those of the other', () => {
  fc.assert(
    fc.property(shape, shape, (one, other) => {
      const [before, after] = [built(input(one)), built(input(other))]
      const plan = planOf(before, after, load)
      const places = new Set(placesOf(before))
      for (const step of plan)
        if (step.what === 'remove' && !step.at.includes('.bind') && !step.at.includes('.routes')) places.delete(step.at)
      for (const step of plan) if (step.what === 'add' && !step.at.includes('.bind') && !step.at.includes('.routes')) places.add(step.at)
      const lost = placesOf(before).filter((place) => !places.has(place))
      const belowLost = (place: string) => lost.some((gone) => place.startsWith(`${gone}.`))
      assert.deepEqual([...places].filter((place) => !belowLost(place)).toSorted(), placesOf(after).toSorted())
    }),
    { numRuns: 200 },
  )
})

test('what is the same by the helpers has no steps, and what has no steps is the same', () => {
  fc.assert(
    fc.property(shape, shape, fc.boolean(), (one, other, isEqual) => {
      const [before, after] = [built(input(one)), built(input(isEqual ? one : other))]
      const pairs = before.listeners.map((listener) => [listener, after.listeners.find(({ name }) => name === listener.name)] as const)
      for (const [was, is] of pairs) {
        if (!is) continue
        const touched = planOf(before, after, load).some(
          ({ at }) => `${at}.`.startsWith(`listeners.${is.name}.`) || at.startsWith(`listeners.${is.name}.`),
        )
        assert.equal(isSameListener(was, is), !touched)
      }
      const upstreamTouched = planOf(before, after, load).some(({ at }) => at.startsWith('upstreams.'))
      const [a, b] = [before.upstreams[0], after.upstreams[0]]
      assert.ok(a && b)
      assert.equal(isSameUpstream(a, b), !upstreamTouched)
    }),
    { numRuns: 100 },
  )
})

test('a server at another address is not the same, a route in another line is', () => {
  const [a, b] = [built(base()), built(base())]
  const [, server] = a.upstreams[0]?.servers ?? []
  const route = b.listeners[0]?.routes[0]
  assert.ok(server && route && a.listeners[0]?.routes[0])
  assert.ok(isSameServer(server, { ...server }))
  assert.ok(!isSameServer(server, { ...server, address: { kind: 'tcp', host: '10.0.0.5', port: 80, text: '10.0.0.5:80' } }))
  assert.ok(isSameRoute(a.listeners[0].routes[0], { ...route, place: { path: 'elsewhere', line: 9 } }))
})

function input({
  listeners,
  servers,
  addresses,
  routes,
}: {
  listeners: string[]
  servers: string[]
  addresses: number[]
  routes: string[]
}): unknown {
  const listener = (index: number) => ({
    bind: addresses.map((address) => `127.0.${index}.${address}:80`),
    routes: routes.map((path) => ({ match: { path }, upstream: 'api' })),
  })
  return {
    listeners: Object.fromEntries(listeners.map((name, index) => [name, listener(index)])),
    upstreams: { api: { servers: servers.map((name, index) => ({ name, address: `10.0.0.${index + 1}:80` })) } },
  }
}

function placesOf(config: Config): string[] {
  const servers = config.upstreams.flatMap(({ name, servers: list }) =>
    list.map((server) => keyPath(`upstreams.${name}.servers`, server.name)),
  )
  return [
    ...config.listeners.map(({ name }) => keyPath('listeners', name)),
    ...config.upstreams.map(({ name }) => `upstreams.${name}`),
    ...servers,
  ]
}
