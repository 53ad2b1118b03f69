import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyConfig } from '../../../src/cli/proxy.ts'
import { restoreFunctions, withoutFunctions } from '../../../src/shared/config/functions.ts'
import { configFromInput } from '../../../src/shared/config/load.ts'
import { renderProblems } from '../../../src/shared/config/problem.ts'
import { configOf, configWith, loadText, problemsOf } from './helper.ts'

/** The problems of a listener with these lines of YAML flow, without file and place. */
async function problemsWith(parts: Parameters<typeof configWith>[0], env: Record<string, string> = {}): Promise<string[]> {
  const result = await loadText(configWith(parts), env)
  return result.ok ? [] : result.problems.map(({ path, message, hint }) => `${path}: ${message}${hint === null ? '' : `; ${hint}`}`)
}

test('a tcp and a tls listener become the model', async () => {
  const config = await configOf(`
listeners:
  db:
    bind: [":5432", "[::1]:8000-8003"]
    protocol: tcp
    proxyProtocol: on
    trustedProxies: [10.0.0.0/8]
    limits: { connectionsPerIp: 50 }
    timeouts: { header: 1s }
    upstream: db
  secure:
    bind: 127.0.0.1:443
    protocol: tls
    routes:
      - match: { sni: [A.example, "*.B.example"], alpn: h2, port: [443, 8000-8100, "9000"], not: { alpn: [x, y] } }
        split: { db: 50%, other: 50% }
upstreams:
  db: { servers: ["a:1"], sendProxyProtocol: v2 }
  other: { servers: ["a:2"] }
`)
  const [db, secure] = config.listeners
  assert.deepEqual([db?.protocol, db?.proxyProtocol, db?.limits.connectionsPerIp], ['tcp', true, 50])
  assert.deepEqual(db?.bind, [
    { kind: 'tcp', host: '', port: 5432, lastPort: 5432, text: ':5432' },
    { kind: 'tcp', host: '::1', port: 8000, lastPort: 8003, text: '[::1]:8000-8003' },
  ])
  assert.deepEqual([secure?.protocol, secure?.proxyProtocol], ['tls', false])
  assert.deepEqual(secure?.routes[0]?.match, {
    sni: ['a.example', '*.b.example'],
    alpn: ['h2'],
    port: [
      { first: 443, last: 443 },
      { first: 8000, last: 8100 },
      { first: 9000, last: 9000 },
    ],
    not: { alpn: ['x', 'y'] },
  })
  assert.deepEqual(
    config.upstreams.map(({ sendProxyProtocol }) => sendProxyProtocol),
    ['v2', 'off'],
  )
})

test('the type of a TLV has a name or a number, and is given once', async () => {
  const match = '{ authority: a, 0x01: true, 5: [a, { regex: b }], "0xEA": false, netns: x }'
  const on = 'proxyProtocol: on\n    trustedProxies: [::1]'
  const config = await configOf(configWith({ listener: on, route: `match: { proxyTlv: ${match} }, upstream: api` }))
  assert.deepEqual(config.listeners[0]?.routes[0]?.match.proxyTlv, { 2: 'a', 1: true, 5: ['a', { regex: 'b' }], 234: false, 48: 'x' })
  const bad = (keys: string) => problemsWith({ listener: on, route: `match: { proxyTlv: { ${keys} } }, upstream: api` })
  const expected = 'expected the type of a TLV: alpn, authority, unique-id, netns, aws, or 0 to 255'
  assert.deepEqual(await bad('ssl: x'), [`listeners.web.routes[0].match.proxyTlv.ssl: ${expected}, found "ssl"`])
  for (const key of ['256', '0x100', '-1', '1.0', 'Authority']) assert.match((await bad(`"${key}": x`)).join(), /the type of a TLV/, key)
  assert.deepEqual(await bad('authority: x, 0x02: y'), [
    'listeners.web.routes[0].match.proxyTlv.0x02: the same type as "authority"; give it once',
  ])
})

test('ports of a match are checked', async () => {
  const bad = async (port: string) => (await problemsWith({ route: `match: { port: ${port} }, upstream: api` })).join()
  for (const port of ['0', '65536', '80.5', '-1', 'http', '1-', '1-65536', '0-5', '1-2-3', '""'])
    assert.match(
      await bad(port),
      /routes\[0\]\.match\.port: expected a port from 1 to 65535, or a range of them such as 8000-8100, found/,
      port,
    )
  assert.equal(await bad('90-80'), 'listeners.web.routes[0].match.port: the range 90-80 ends before it begins; write "80-90"')
  assert.equal(await bad('[1, 1-1, "${P}"]').then((text) => text.includes('P is not set')), true)
  assert.match(await bad('true'), /expected a port or first-last, or a list, found the word true/)
})

test('an ALPN protocol is one word', async () => {
  for (const alpn of ['"h2,http/1.1"', '"a b"', '""'])
    assert.match(
      (await problemsWith({ listener: 'protocol: tls', route: `match: { alpn: ${alpn} }, upstream: api` })).join(),
      /expected a protocol name such as h2, without spaces and commas/,
      alpn,
    )
})

test('what speaks of requests is refused on a tcp and a tls listener', async () => {
  for (const protocol of ['tcp', 'tls']) {
    const listener = `protocol: ${protocol}
    forwardedHeaders: []
    errorPages: { 404: { body: x } }
    limits: { headerBytes: 8KiB, headers: 5, bodyBytes: 1MiB, connections: 5 }
    timeouts: { body: 1s, keepAlive: 1s, write: 1s }`
    const keys = ['forwardedHeaders', 'errorPages', 'limits.headerBytes', 'limits.headers', 'limits.bodyBytes']
    assert.deepEqual(
      await problemsWith({ listener }),
      [...keys, 'timeouts.body', 'timeouts.keepAlive', 'timeouts.write'].map(
        (key) => `listeners.web.${key}: has no effect on a listener with protocol ${protocol}; remove it`,
      ),
    )
  }
})

test('trustedProxies and the header timeout of connections need a PROXY header, the timeout also serves the ClientHello', async () => {
  const idle = 'trustedProxies: [::1]\n    timeouts: { header: 1s }'
  const why = (protocol: string) => `has no effect on a listener with protocol ${protocol} unless proxyProtocol is on; remove it`
  assert.deepEqual(await problemsWith({ listener: `protocol: tcp\n    ${idle}` }), [
    `listeners.web.trustedProxies: ${why('tcp')}`,
    `listeners.web.timeouts.header: ${why('tcp')}`,
  ])
  assert.deepEqual(await problemsWith({ listener: `protocol: tls\n    ${idle}` }), [`listeners.web.trustedProxies: ${why('tls')}`])
  for (const protocol of ['tcp', 'tls', 'http'])
    assert.deepEqual(await problemsWith({ listener: `protocol: ${protocol}\n    proxyProtocol: on\n    ${idle}` }), [])
  assert.deepEqual(await problemsWith({ listener: idle }), [])
})

test('proxyProtocol without trusted proxies is refused', async () => {
  for (const trusted of ['', '\n    trustedProxies: []'])
    assert.deepEqual(await problemsWith({ listener: `proxyProtocol: on${trusted}` }), [
      'listeners.web.proxyProtocol: refuses every connection, as trustedProxies is empty; ' +
        'name the proxies that connect, e.g. trustedProxies: [10.0.0.0/8]',
    ])
})

test('what a route of connections cannot do is refused', async () => {
  const refused = (key: string) =>
    `listeners.web.routes[0].${key}: only on a listener with protocol http or https; this one has protocol tcp`
  const on = (route: string) => problemsWith({ listener: 'protocol: tcp', route })
  assert.deepEqual(await on('redirect: { to: / }'), [refused('redirect')])
  assert.deepEqual(await on('answer: {}, rewrite: { addPrefix: /x }'), [refused('answer'), refused('rewrite')])
  assert.deepEqual(
    await on('upstream: api, headers: { response: { remove: [A] } }, host: server, errorPages: { 503: { body: x } }'),
    ['headers', 'host', 'errorPages'].map(refused),
  )
  assert.deepEqual(await on('match: {}'), ['listeners.web.routes[0]: a route needs one of upstream, split'])
})

test('each protocol has its own conditions, at every depth', async () => {
  const all = {
    host: 'a',
    path: '/',
    method: 'GET',
    header: '{ a: b }',
    query: '{ a: b }',
    cookie: '{ a: b }',
    clientIp: '"::1"',
    port: '1',
    sni: 'a',
    alpn: 'h2',
    proxyTlv: '{ aws: x }',
  }
  const known: Record<string, string[]> = {
    http: ['host', 'path', 'method', 'header', 'query', 'cookie', 'clientIp', 'port', 'proxyTlv'],
    tcp: ['clientIp', 'port', 'proxyTlv'],
    tls: ['clientIp', 'port', 'proxyTlv', 'sni', 'alpn'],
  }
  for (const [protocol, allowed] of Object.entries(known)) {
    const listener = `protocol: ${protocol}\n    proxyProtocol: on\n    trustedProxies: [::1]`
    const match = `all: [{ any: [{ not: { ${Object.entries(all).map(([key, value]) => `${key}: ${value}`)} } }] }]`
    const problems = await problemsWith({ listener, route: `match: { ${match} }, upstream: api` })
    const refused = problems.map((text) => /match\.all\[0\]\.any\[0\]\.not\.(\w+): only on a listener with protocol/.exec(text)?.[1])
    assert.deepEqual(
      refused,
      Object.keys(all).filter((key) => !allowed.includes(key)),
    )
  }
  assert.deepEqual(await problemsWith({ listener: 'protocol: tls', route: 'match: { host: a }, upstream: api' }), [
    'listeners.web.routes[0].match.host: only on a listener with protocol http or https; match the server name with sni',
  ])
  assert.deepEqual(await problemsWith({ route: 'match: { not: { proxyTlv: { aws: x } } }, upstream: api' }), [
    'listeners.web.routes[0].match.not.proxyTlv: only where proxyProtocol of the listener is on',
  ])
})

test('the protocol may come out of the environment', async () => {
  const parts = { listener: 'protocol: ${PROTOCOL:-tcp}', route: 'match: { path: / }, upstream: api' }
  assert.match((await problemsWith(parts)).join(), /match\.path: only on a listener with protocol http or https; this one has protocol tcp/)
  assert.deepEqual(await problemsWith(parts, { PROTOCOL: 'http' }), [])
})

test('a protocol that does not exist is the only problem', async () => {
  assert.deepEqual(await problemsWith({ listener: 'protocol: tpc', route: 'match: { path: / }, upstream: api' }), [
    'listeners.web.protocol: expected http, https, tcp or tls, found "tpc"; did you mean "tcp"?',
  ])
})

test('onConnection is for connections, onRequest and pick are for requests, and both are put back into a copy', () => {
  const load = (protocol: 'http' | 'tcp', key: 'onConnection' | 'onRequest' | 'pick') =>
    configFromInput(
      {
        listeners: { l: { bind: ':0', protocol, routes: [{ upstream: 'a', [key]: () => undefined }] } },
        upstreams: { a: { servers: ['a:1'] } },
      },
      'test',
    )
  const messages = (...args: Parameters<typeof load>) => {
    const result = load(...args)
    return result.ok ? '' : renderProblems(result.problems)
  }
  assert.match(messages('http', 'onConnection'), /onConnection: only on a listener with protocol tcp or tls; this one has protocol http/)
  for (const key of ['onRequest', 'pick'] as const)
    assert.match(messages('tcp', key), new RegExp(`${key}: only on a listener with protocol http`))
  const loaded = load('tcp', 'onConnection')
  assert.ok(loaded.ok)
  const copy = withoutFunctions(loaded.config)
  assert.equal(copy.listeners[0]?.routes[0]?.onConnection, undefined)
  restoreFunctions(copy, loaded)
  assert.equal(typeof copy.listeners[0]?.routes[0]?.onConnection, 'function')
})

test('connections per address and the PROXY header to servers are checked', async () => {
  for (const limit of ['0', '1000001', 'all'])
    assert.match(
      (await problemsWith({ listener: `limits: { connectionsPerIp: ${limit} }` })).join(),
      /expected .*integer from 1 to 1000000, found/,
    )
  assert.deepEqual(await problemsOf(configWith({ upstream: 'sendProxyProtocol: v3' })), [
    'weir.yaml:10:24: upstreams.api.sendProxyProtocol: expected off, v1 or v2, found "v3", did you mean "v1"?',
  ])
})

test('weir proxy takes a protocol', () => {
  const config = (protocol: 'http' | 'tcp' | 'tls', listen: string) =>
    proxyConfig({ listen: [listen], protocol, to: ['127.0.0.1:9001'], balance: 'round-robin', workers: 1 })
  for (const protocol of ['http', 'tcp', 'tls'] as const) {
    const result = config(protocol, ':5432-5433')
    assert.equal(result.ok ? result.config.listeners[0]?.protocol : null, protocol)
  }
  assert.ok(!config('tcp', ':0-3').ok)
})
