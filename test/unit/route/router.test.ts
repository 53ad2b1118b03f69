import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Match } from '../../../src/shared/config/model.ts'
import type { HeadReader } from '../../../src/worker/route/head-reader.ts'
import { compileRouter } from '../../../src/worker/route/router.ts'
import { exact, head, prefix, regex, route } from './fixtures.ts'

/** Names of the matches are their keys, in the order of the file. */
function finder(matches: Record<string, Match>) {
  const router = compileRouter(Object.entries(matches).map(([name, match]) => route(match, name)))
  return (host: string, path: string, reader = head()) => router.hostRoutes(host).find(path, reader)?.config.place.path
}

test('an empty match answers everything', () => {
  const find = finder({ all: {} })
  assert.equal(find('a.example', '/'), 'all')
  assert.equal(find('', '*'), 'all')
  assert.equal(find('a.example', ''), 'all')
})

test('without a route nothing is found', () => {
  assert.equal(finder({})('a.example', '/'), undefined)
  assert.equal(finder({ api: { host: ['b.example'] } })('a.example', '/'), undefined)
})

test('an exact host wins over a wildcard, a longer wildcard over a shorter, any wildcard over none', () => {
  const find = finder({ none: {}, short: { host: ['*.example'] }, long: { host: ['*.b.example'] }, exact: { host: ['a.b.example'] } })
  assert.equal(find('a.b.example', '/'), 'exact')
  assert.equal(find('x.b.example', '/'), 'long')
  assert.equal(find('x.y.b.example', '/'), 'long')
  assert.equal(find('b.example', '/'), 'short')
  assert.equal(find('example', '/'), 'none')
  assert.equal(find('.example', '/'), 'none')
})

test('a host with a last dot is the same host', () => {
  const find = finder({ exact: { host: ['a.example'] }, wild: { host: ['*.b.example'] } })
  assert.equal(find('a.example.', '/'), 'exact')
  assert.equal(find('x.b.example.', '/'), 'wild')
})

test('a connection is found by its server name and the path /', () => {
  const find = finder({
    none: {},
    port: { port: [{ first: 1, last: 9 }] },
    both: { port: [{ first: 1, last: 9 }], alpn: ['h2'] },
    wild: { sni: ['*.example'] },
    exact: { sni: ['a.example', 'b.example'], alpn: ['h2'] },
  })
  const connect = (sni: string, localPort: number, alpn: string[] = []) => find(sni, '/', head({ sni, localPort, alpn }))
  assert.equal(connect('', 80), 'none')
  assert.equal(connect('', 9), 'port')
  assert.equal(connect('', 1, ['http/1.1', 'h2']), 'both')
  assert.equal(connect('b.example', 1, ['h2']), 'exact')
  assert.equal(connect('b.example', 1), 'wild')
  assert.equal(connect('example', 10), 'none')
})

test('a host whose routes do not match falls through to less specific hosts', () => {
  const find = finder({ api: { host: ['a.example'], path: prefix('/api') }, wild: { host: ['*.example'], path: prefix('/w') }, rest: {} })
  assert.equal(find('a.example', '/api/x'), 'api')
  assert.equal(find('a.example', '/w'), 'wild')
  assert.equal(find('a.example', '/other'), 'rest')
})

test('an exact path wins over a regex, a regex over prefixes, a longer prefix over a shorter, and / is the same as no path', () => {
  const find = finder({
    none: {},
    root: { path: prefix('/') },
    short: { path: prefix('/a/') },
    long: { path: prefix('/a/b') },
    regex: { path: regex('^/a/b/[0-9]+$') },
    exact: { path: exact('/a/b/7') },
  })
  assert.equal(find('h', '/a/b/7'), 'exact')
  assert.equal(find('h', '/a/b/8'), 'regex')
  assert.equal(find('h', '/a/b/x'), 'long')
  assert.equal(find('h', '/a/x'), 'short')
  assert.equal(find('h', '/x'), 'none')
})

test('a prefix matches whole segments only, with or without its last slash', () => {
  for (const value of ['/v1', '/v1/']) {
    const find = finder({ v1: { path: prefix(value) } })
    assert.equal(find('h', '/v1'), 'v1')
    assert.equal(find('h', '/v1/'), 'v1')
    assert.equal(find('h', '/v1/users'), 'v1')
    assert.equal(find('h', '/v1x'), undefined)
    assert.equal(find('h', '/v'), undefined)
    assert.equal(find('h', '/x/v1'), undefined)
  }
})

test('an exact path does not match below itself, nor with another last slash', () => {
  const find = finder({ old: { path: exact('/old') } })
  assert.equal(find('h', '/old'), 'old')
  assert.equal(find('h', '/old/'), undefined)
  assert.equal(find('h', '/old/x'), undefined)
})

test('exact and prefix of the same text live side by side', () => {
  const find = finder({ below: { path: prefix('/a') }, exact: { path: exact('/a') } })
  assert.equal(find('h', '/a'), 'exact')
  assert.equal(find('h', '/a/b'), 'below')
})

test('more conditions win over fewer, then the order of the file', () => {
  const find = finder({
    first: { path: prefix('/a') },
    second: { path: prefix('/a/') },
    post: { path: prefix('/a'), method: ['POST'] },
    postJson: { path: prefix('/a'), method: ['POST'], header: { 'content-type': 'application/json' } },
  })
  assert.equal(find('h', '/a'), 'first')
  assert.equal(find('h', '/a', head({ method: 'POST' })), 'post')
  assert.equal(find('h', '/a', head({ method: 'POST', headers: { 'content-type': 'application/json' } })), 'postJson')
})

test('a failed condition gives the request to a shorter prefix', () => {
  const find = finder({ all: {}, a: { path: prefix('/a') }, ab: { path: prefix('/a/b'), method: ['PUT'] } })
  assert.equal(find('h', '/a/b/c'), 'a')
  assert.equal(find('h', '/a/b/c', head({ method: 'PUT' })), 'ab')
})

test('a route with several hosts and paths answers each of them', () => {
  const find = finder({ many: { host: ['a', '*.b'], path: [...prefix('/x'), ...exact('/y')] } })
  for (const host of ['a', 'c.b']) for (const path of ['/x', '/x/1', '/y']) assert.equal(find(host, path), 'many')
  assert.equal(find('a', '/y/1'), undefined)
  assert.equal(find('b', '/x'), undefined)
})

test('any, all and not hold hosts and paths', () => {
  const find = finder({
    rest: {},
    either: {
      any: [
        { host: ['a'], path: prefix('/x') },
        { host: ['*.b'], method: ['POST'] },
      ],
    },
    both: { all: [{ path: regex('^/z') }, { query: { k: 'v' } }] },
    other: { host: ['c'], not: { path: exact('/health') } },
  })
  assert.equal(find('a', '/x/1'), 'either')
  assert.equal(find('a', '/y'), 'rest')
  assert.equal(find('q.b', '/y', head({ method: 'POST' })), 'either')
  assert.equal(find('h', '/z', head({ query: 'k=v' })), 'both')
  assert.equal(find('h', '/z'), 'rest')
  assert.equal(find('c', '/'), 'other')
  assert.equal(find('c', '/health'), 'rest')
})

test('order ranks the routes from the most specific on', () => {
  const router = compileRouter([route({}), route({ host: ['*.a'] }), route({ host: ['a'] }), route({ host: ['a'], path: exact('/x') })])
  assert.deepEqual(
    [...new Set(router.entries.map((entry) => entry.route))].map(({ index, order }) => [order, index]),
    [
      [0, 3],
      [1, 2],
      [2, 1],
      [3, 0],
    ],
  )
})

test('the head is not read when no condition asks for it', () => {
  const untouchable = new Proxy({}, { get: (_target, name) => assert.fail(`read ${String(name)}`) }) as HeadReader
  const router = compileRouter([route({ path: prefix('/a') }), route({ path: prefix('/b'), method: ['GET'] }), route({})])
  assert.equal(router.hostRoutes('h').find('/a/x', untouchable)?.index, 0)
  assert.equal(router.hostRoutes('h').find('/c', untouchable)?.index, 2)
  assert.throws(() => router.hostRoutes('h').find('/b', untouchable), /read method/)
})

const segment = fc.constantFrom('a', 'b', 'ab', '', 'c.d')
const anyPath = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
const anyMatch: fc.Arbitrary<Match> = fc.record(
  {
    host: fc.array(fc.constantFrom('a', 'x.a', '*.a', '*.x.a'), { minLength: 1, maxLength: 2 }),
    path: fc.array(fc.record({ kind: fc.constantFrom('prefix' as const, 'exact' as const), value: anyPath }), {
      minLength: 1,
      maxLength: 3,
    }),
    method: fc.constant(['POST']),
  },
  { requiredKeys: [] },
)

test('the table finds what trying every route in order finds', () => {
  fc.assert(
    fc.property(
      fc.array(anyMatch, { maxLength: 12 }),
      fc.constantFrom('a', 'x.a', 'y.x.a', 'b'),
      anyPath,
      fc.constantFrom('GET', 'POST'),
      (matches, host, path, method) => {
        const router = compileRouter(matches.map((match) => route(match)))
        const slow = router.entries.find(
          (entry) => hostFits(entry.host, host) && pathFits(entry.path, path) && (entry.conditions.length === 0 || method === 'POST'),
        )
        assert.equal(router.hostRoutes(host).find(path, head({ method })), slow?.route)
      },
    ),
    { numRuns: 2000 },
  )
})

function hostFits(pattern: { kind: string; value: string } | null, host: string): boolean {
  return pattern === null || (pattern.kind === 'exact' ? host === pattern.value : host.endsWith(pattern.value))
}

function pathFits(pattern: { kind: string; value: string | RegExp } | null, path: string): boolean {
  if (pattern === null || path === pattern.value) return true
  return pattern.kind === 'prefix' && path.startsWith(`${String(pattern.value)}/`)
}
