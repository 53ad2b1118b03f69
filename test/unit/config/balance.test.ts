import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyConfig } from '../../../src/cli/proxy.ts'
import { restoreFunctions, withoutFunctions } from '../../../src/shared/config/functions.ts'
import { configFromInput } from '../../../src/shared/config/load.ts'
import type { UpstreamConfig } from '../../../src/shared/config/model.ts'
import { balanceNames } from '../../../src/shared/config/schema/balance.ts'
import { configOf, configWith, loadText, messagesOf, problemsOf, warningsOf } from './helper.ts'

const upstreamOf = async (upstream: string, env: Record<string, string> = {}): Promise<UpstreamConfig> => {
  const [built] = (await configOf(configWith({ upstream }), env)).upstreams
  assert.ok(built)
  return built
}
const withServers = (servers: string, root = 'workers: 1') => configWith({ root }).replace('["127.0.0.1:9001"]', servers)
const refuses = async (upstream: string, problem: RegExp) => assert.match((await messagesOf(configWith({ upstream }))).join('\n'), problem)

test('every policy has a name, and a hash where it hashes', async () => {
  for (const balance of balanceNames) {
    const built = await upstreamOf(`balance: ${balance}${balance === 'consistent-hash' ? '\n    hash: { key: path }' : ''}`)
    assert.deepEqual([built.balance, built.hash !== null], [balance, balance.endsWith('-hash')])
  }
  assert.deepEqual((await upstreamOf('balance: source-hash')).hash, { key: { from: 'client-ip' }, table: 'ring', boundedLoad: null })
})

test('the key of a hash is read', async () => {
  const keys: [text: string, key: object][] = [
    ['header:X-User', { from: 'header', name: 'x-user' }],
    ['cookie:Name', { from: 'cookie', name: 'Name' }],
    ['query:a b', { from: 'query', name: 'a b' }],
    ['path', { from: 'path' }],
    ['client-ip', { from: 'client-ip' }],
  ]
  for (const [text, key] of keys) {
    const { hash } = await upstreamOf(`balance: consistent-hash\n    hash: { key: "${text}", table: maglev, boundedLoad: 1.25 }`)
    assert.deepEqual(hash, { key, table: 'maglev', boundedLoad: 1.25 })
  }
  const bad = (key: string) => messagesOf(configWith({ upstream: `balance: consistent-hash\n    hash: { key: ${key} }` }))
  const forms = 'expected header:NAME, cookie:NAME, query:NAME, path or client-ip, found'
  assert.deepEqual(await bad('"heder:x"'), [`upstreams.api.hash.key: ${forms} "heder:x"; did you mean "header:x"?`])
  assert.deepEqual(await bad('client-pi'), [`upstreams.api.hash.key: ${forms} "client-pi"; did you mean "client-ip"?`])
  assert.deepEqual(await bad('"header:a b"'), ['upstreams.api.hash.key: expected a header name after header:, found "header:a b"'])
  for (const key of ['""', 'header', '"query:"', '"path:/x"', '"ip:x"']) assert.match((await bad(key)).join(), /hash\.key: expected/, key)
  assert.match((await bad('1')).join(), /hash\.key: expected .*, found the number 1/)
})

test('the bound of a load is a number with fractions, also out of the environment', async () => {
  const hash = (bound: string) => `balance: consistent-hash\n    hash: { key: path, boundedLoad: ${bound} }`
  for (const [bound, value] of [
    ['off', null],
    ['1', 1],
    ['1.05', 1.05],
    ['10', 10],
    ['"${BOUND}"', 1.5],
  ] as const)
    assert.equal((await upstreamOf(hash(bound), { BOUND: '1.5' })).hash?.boundedLoad, value)
  assert.deepEqual(await problemsOf(configWith({ upstream: hash('0.99') })), [
    'weir.yaml:11:37: upstreams.api.hash.boundedLoad: expected a number from 1 to 10, found the number 0.99',
  ])
  for (const bound of ['10.1', '.nan', '.inf', '-1']) await refuses(hash(bound), /expected a number from 1 to 10, found the number/)
  await refuses(hash('of'), /boundedLoad: expected off or number from 1 to 10, found "of"; did you mean "off"\?/)
})

test('a hash policy and its hash need each other', async () => {
  assert.deepEqual(await problemsOf(configWith({ upstream: 'balance: consistent-hash' })), [
    'weir.yaml:10:14: upstreams.api.balance: consistent-hash needs to know what is hashed; add hash: { key: path }, or write source-hash',
  ])
  for (const other of ['', 'balance: source-hash\n    ', 'balance: random\n    '])
    await refuses(`${other}hash: { key: path }`, /^upstreams\.api\.hash: has no effect without balance: consistent-hash; remove it/)
})

test('connections have no key but their client', async () => {
  const text = (key: string) => `
listeners:
  web: { bind: ":80", upstream: api }
  db: { bind: ":1", protocol: tcp, routes: [{ split: { api: 50%, b: 50% } }] }
upstreams:
  api: { balance: consistent-hash, hash: { key: "${key}" }, servers: ["a:1"] }
  b: { servers: ["a:2"] }
`
  for (const key of ['header:a', 'cookie:a', 'query:a', 'path'])
    assert.deepEqual(await messagesOf(text(key)), [
      'upstreams.api.hash.key: only requests have it, and listeners.db.routes[0].split.api sends connections here; ' +
        'write client-ip, or give connections an upstream of their own',
    ])
  assert.deepEqual(await messagesOf(text('client-ip')), [])
})

test('a key function stays with its upstream when a config is sent to another process', () => {
  const load = (protocol: 'http' | 'tcp') =>
    configFromInput(
      {
        listeners: { web: { bind: ':0', protocol, upstream: 'b' } },
        upstreams: {
          a: { servers: ['a:1'] },
          b: { balance: 'consistent-hash', hash: { key: (request) => request.path, boundedLoad: 1.5 }, servers: ['a:1'] },
        },
      },
      'test',
    )
  const loaded = load('http')
  assert.ok(loaded.ok)
  const original = loaded.config.upstreams[1]?.hash?.key
  assert.equal(original?.from === 'function' ? typeof original.function : '', 'function')
  const copy = withoutFunctions(loaded.config)
  assert.deepEqual(copy.upstreams[1]?.hash, { key: { from: 'function' }, table: 'ring', boundedLoad: 1.5 })
  restoreFunctions(copy, loaded)
  assert.equal(copy.upstreams[1]?.hash?.key, original)
  const refused = load('tcp')
  assert.match(refused.ok ? '' : (refused.problems[0]?.message ?? ''), /only requests have it/)
})

test('a list of servers holds tiers, zones, weights and names to look up', async () => {
  const config = await configOf(
    withServers(
      `["a:1", { name: b, address: "b:1", weight: 0, backup: true, zone: z }, { address: "c:1", tier: 9, maxConnections: 5 },
        { dns: "app.internal:8080", weight: 4, tier: 2, zone: z }, { srv: "_http._tcp.app.internal.", backup: true, maxConnections: 7 }]`,
      'zone: z',
    ),
  )
  assert.equal(config.zone, 'z')
  const [api] = config.upstreams
  assert.deepEqual(
    api?.servers.map(({ name, weight, maxConnections, tier, zone }) => ({ name, weight, maxConnections, tier, zone })),
    [
      { name: 'a:1', weight: 1, maxConnections: null, tier: 0, zone: null },
      { name: 'b', weight: 0, maxConnections: null, tier: 1, zone: 'z' },
      { name: 'c:1', weight: 1, maxConnections: 5, tier: 9, zone: null },
    ],
  )
  assert.deepEqual(api?.discover, [
    { kind: 'dns', name: 'app.internal', port: 8080, weight: 4, tier: 2, zone: 'z', maxConnections: null },
    { kind: 'srv', name: '_http._tcp.app.internal.', port: null, weight: 1, tier: 1, zone: null, maxConnections: 7 },
  ])
  assert.deepEqual((await configOf(withServers('[{ dns: "a:1" }]'))).upstreams[0]?.servers, [])
})

test('a server has one place', async () => {
  const bad = (server: string) => messagesOf(withServers(`["x:1", ${server}]`))
  const at = 'upstreams.api.servers[1]'
  assert.deepEqual(await bad('{ weight: 1 }'), [`${at}: a server needs one of address, dns, srv`])
  assert.deepEqual(await bad('{ adress: "a:1" }'), [`${at}.adress: unknown key; did you mean "address"?`])
  assert.deepEqual(await bad('{ dns: "a:1", address: "a:1" }'), [`${at}.dns: not together with address`])
  assert.deepEqual(await bad('{ srv: a, dns: "a:1" }'), [`${at}.srv: not together with dns`])
  assert.deepEqual(await bad('{ address: "a:1", tier: 1, backup: false }'), [
    `${at}.backup: not together with tier; a backup is a server of tier 1`,
  ])
  assert.deepEqual(await bad('{ dns: "a:1", name: a }'), [
    `${at}.name: has no effect, as discovered servers are named by their addresses; remove it`,
  ])
  assert.deepEqual(await bad('{ srv: a, weight: 2 }'), [`${at}.weight: has no effect, as SRV records have weights of their own; remove it`])
  assert.match((await bad('{ dns: "x.y:1" }, { dns: "x.y:1" }')).join(), /servers\[2\]\.dns: a second server named "x\.y:1".*; remove it/)
  assert.match((await bad('{ address: "a:1", tier: 10 }')).join(), /tier: expected an integer from 0 to 9/)
})

test('names to look up are checked', async () => {
  const bad = async (server: string) => (await messagesOf(withServers(`[{ ${server} }]`))).join()
  assert.match(
    await bad('dns: app'),
    /dns: expected a DNS name and a port, such as app\.internal:8080, found "app"; add the port: "app:8080"/,
  )
  assert.match(await bad('dns: "10.0.0.1:80"'), /an IP address stands as "address"/)
  for (const dns of ['a:0', 'a:65536', ':80', '[::1]:80', 'a b:80', 'unix:/x'])
    assert.match(await bad(`dns: "${dns}"`), /expected a DNS name/, dns)
  assert.match(await bad('srv: "_http._tcp.a:80"'), /srv: expected the name of SRV records.*; write it without a port/)
  for (const srv of ['""', '"10.0.0.1"', '"a b"']) assert.match(await bad(`srv: ${srv}`), /expected the name of SRV records/, srv)
})

test('weights in percent stand alone', async () => {
  const weights = await configOf(
    withServers('[{ address: "a:1", weight: 75% }, { address: "b:1", weight: "0%" }, { dns: "c:1", weight: 25% }]'),
  )
  assert.deepEqual(
    weights.upstreams[0]?.servers.map(({ weight }) => weight),
    [75, 0],
  )
  assert.equal(weights.upstreams[0]?.discover[0]?.weight, 25)
  assert.deepEqual(await messagesOf(withServers('["a:1", { address: "b:1", weight: 50% }, { address: "c:1", weight: 3 }]')), [
    'upstreams.api.servers[0]: needs a weight in percent, as upstreams.api.servers[1] has one; write all weights of an upstream alike',
    'upstreams.api.servers[2].weight: needs a weight in percent, as upstreams.api.servers[1] has one; write all weights of an upstream alike',
  ])
  for (const weight of ['12.5%', '101%', '-1%', '"5"', 'half'])
    assert.match(
      (await messagesOf(withServers(`[{ address: "a:1", weight: ${weight} }]`))).join(),
      /weight: expected a whole percentage from 0% to 100%, or an integer from 0 to 256, found/,
      weight,
    )
  const [server] = (await configOf(withServers('[{ address: "a:1", weight: "${W}" }]'), { W: '7' })).upstreams[0]?.servers ?? []
  assert.equal(server?.weight, 7)
  assert.equal((await loadText(withServers('[{ address: "a:1", weight: "${W}" }]'), { W: '7%' })).ok, true)
})

test('an upstream has a server that takes traffic first', async () => {
  const line = 'upstreams.api.servers: '
  const backups = 'no server is in tier 0; all are backups: remove backup or tier from those that come first'
  assert.deepEqual(await problemsOf(withServers('[{ address: "a:1", backup: true }, { dns: "b:1", tier: 2 }]')), [
    `weir.yaml:9:5: ${line}${backups}`,
  ])
  assert.deepEqual(await messagesOf(withServers('[{ address: "a:1", backup: "${B}" }]'), { B: 'true' }), [`${line}${backups}`])
  const weight = 'give one a weight of at least 1'
  assert.deepEqual(await messagesOf(withServers('[{ address: "a:1", weight: 0 }, { address: "b:1", weight: "${W}" }]'), { W: '0' }), [
    `${line}every server has weight 0, so none takes traffic; ${weight}`,
  ])
  assert.deepEqual(await messagesOf(withServers('[{ address: "a:1", weight: 0% }, { address: "b:1", weight: 5%, backup: true }]')), [
    `${line}every server of tier 0 has weight 0; ${weight}`,
  ])
  for (const valid of [
    '[{ address: "a:1", weight: 0 }, "b:1"]',
    '[{ address: "a:1", weight: 0 }, { srv: b }]',
    '["a:1", { address: "b:1", weight: 0, tier: 1 }]',
  ])
    assert.deepEqual(await messagesOf(withServers(valid)), [], valid)
})

test('zones have to meet', async () => {
  const inZone = (zone: string) => `[{ address: "a:1", zone: ${zone} }, { address: "b:1", zone: ${zone} }]`
  assert.deepEqual(await warningsOf(withServers(inZone('east'), 'zone: east')), [])
  assert.deepEqual(await problemsOf(withServers(inZone('east'), 'zone: eest')), [
    'weir.yaml:1:7: zone: unknown zone "eest": no server is in it, did you mean "east"?',
  ])
  assert.deepEqual(await messagesOf(withServers(inZone('east'), 'zone: 1a')), [
    'zone: unknown zone "1a": no server is in it; there is: east',
  ])
  assert.deepEqual(await messagesOf(withServers('["a:1"]', 'zone: a')), [
    'zone: unknown zone "a": no server is in it; give servers a zone, or remove it',
  ])
  assert.deepEqual(await warningsOf(withServers(inZone('east'))), [
    'upstreams.api.servers[0].zone: has no effect, as this balancer has no zone; set zone at the top of the config',
  ])
})

test('a sticky cookie has a name, a life and a secret that no message repeats', async () => {
  assert.deepEqual((await upstreamOf('sticky: {}')).sticky, { cookie: 'weir', ttlMs: 3_600_000, secret: null })
  assert.equal((await upstreamOf('sticky: off')).sticky, null)
  const sticky = 'sticky: { cookie: s, ttl: 1m, secret: "${SECRET}" }'
  assert.deepEqual((await upstreamOf(sticky, { SECRET: 'sixteen-letters-' })).sticky, {
    cookie: 's',
    ttlMs: 60_000,
    secret: 'sixteen-letters-',
  })
  const problems = await problemsOf(configWith({ upstream: sticky }), { SECRET: 'tooshort' })
  assert.deepEqual(problems, ['weir.yaml:10:43: upstreams.api.sticky.secret: expected a secret of at least 16 characters'])
  await refuses('sticky: { ttl: 999ms }', /ttl: expected at least 1s, found 999ms/)
  await refuses('sticky: { cookie: "a b" }', /expected a cookie name/)
})

test('two cookies of one name behind one listener are probably not meant', async () => {
  const text = (cookie: string, listeners: string) => `
listeners: { ${listeners} }
upstreams:
  a: { servers: ["a:1"], sticky: {} }
  b: { servers: ["b:1"], sticky: { ${cookie} } }
  c: { servers: ["c:1"], sticky: off }
`
  const one = 'web: { bind: ":1", routes: [{ split: { a: 50%, b: 50% } }, { match: { path: /c }, upstream: c }] }'
  const two = 'x: { bind: ":1", upstream: a }, y: { bind: ":2", routes: [{ upstream: b }, { match: { path: /c }, upstream: c }] }'
  const why = 'the cookie "weir" is also that of upstreams.a on listeners.web; give each upstream a cookie of its own'
  assert.deepEqual(await warningsOf(text('', one)), [`upstreams.b.sticky: ${why}`])
  assert.deepEqual(await warningsOf(text('cookie: weir', one)), [`upstreams.b.sticky.cookie: ${why}`])
  assert.deepEqual(await warningsOf(text('cookie: other', one)), [])
  assert.deepEqual(await warningsOf(text('', two)), [])
  const tcp = `${two}, t: { bind: ":3", protocol: tcp, routes: [{ split: { a: 50%, b: 50% } }] }`
  assert.deepEqual(await warningsOf(text('', tcp)), [])
})

test('weir proxy offers every policy that needs no more than its name', () => {
  for (const balance of balanceNames.filter((name) => name !== 'consistent-hash')) {
    const result = proxyConfig({ listen: [':0'], protocol: 'http', to: ['127.0.0.1:1'], balance, workers: 1 })
    assert.equal(result.ok ? result.config.upstreams[0]?.balance : null, balance)
  }
})
