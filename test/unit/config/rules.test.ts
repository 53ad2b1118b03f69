import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemLine } from '../../../src/shared/config/problem.ts'
import { configWith, loadText, problemsOf } from './helper.ts'

async function refuses(text: string, problem: RegExp): Promise<void> {
  const problems = await problemsOf(text)
  assert.ok(
    problems.some((line) => problem.test(line)),
    problems.join('\n'),
  )
}

test('every problem is reported, in the order of the file', async () => {
  const text = configWith({
    listener: 'timeouts: { header: 10, boddy: 1s }',
    route: 'match: {}, upstream: apo',
    upstream: 'balance: least-conections',
  })
  assert.deepEqual(await problemsOf(text), [
    'weir.yaml:5:25: listeners.web.timeouts.header: expected a unit after the number: 10ms, 10s, 10m or 10h, found "10"',
    'weir.yaml:5:29: listeners.web.timeouts.boddy: unknown key, did you mean "body"?',
    'weir.yaml:7:32: listeners.web.routes[0].upstream: no upstream is named "apo", did you mean "api"?',
    'weir.yaml:11:14: upstreams.api.balance: expected power-of-two, least-connections, least-time, round-robin, random, first, source-hash or consistent-hash, found "least-conections", did you mean "least-connections"?',
  ])
})

test('a route has exactly one action', async () => {
  await refuses(configWith({ route: 'match: {}' }), /routes\[0\]: a route needs one of upstream, split, redirect, answer/)
  await refuses(configWith({ route: 'upstream: api, answer: {}' }), /routes\[0\]\.answer: not together with upstream/)
  await refuses(configWith({ route: 'answer: {}, rewrite: { addPrefix: /x }' }), /routes\[0\]\.rewrite: has no effect/)
  await refuses(configWith({ listener: 'upstream: api' }), /web\.upstream: not together with routes/)
  await refuses('listeners: { web: { bind: ":1" } }', /listeners\.web: has neither routes nor upstream/)
})

test('the shares of a split sum to 100% and name upstreams', async () => {
  await refuses(configWith({ route: 'split: { api: 99.9% }' }), /split: the shares sum to 99\.9%, expected 100%/)
  await refuses(configWith({ route: 'split: { ap: 100% }' }), /split\.ap: no upstream is named "ap", did you mean "api"\?/)
  assert.ok((await loadText(`${configWith({ route: 'split: { api: 33.3333%, b: 66.6667% }' })}  b: { servers: ["b:1"] }\n`)).ok)
})

test('servers have names of their own and listeners addresses of their own', async () => {
  await refuses(
    configWith().replace('["127.0.0.1:9001"]', '["a:1", "a:1"]'),
    /servers\[1\]: a second server named "a:1"; the first is upstreams\.api\.servers\[0\]/,
  )
  await refuses(
    configWith({ root: 'workers: 1' }).replace('":8080"', '[":8080", "127.0.0.1:8080"]'),
    /bind\[1\]: 127\.0\.0\.1:8080 is already taken by listeners\.web\.bind\[0\]/,
  )
  assert.ok((await loadText(configWith().replace('":8080"', '["127.0.0.1:8080", "[::1]:8080", ":0", ":0"]'))).ok)
})

test('addresses are checked', async () => {
  const server = (address: string) => configWith().replace('127.0.0.1:9001', address)
  for (const address of [
    'a:0',
    'a:65536',
    'a',
    '1.2.3:80',
    '256.1.1.1:80',
    '[::g]:80',
    '::1:80',
    ':80',
    'unix:x',
    'http://a:80',
    'a b:80',
    '-a:80',
  ]) {
    await refuses(server(address), /^weir\.yaml:9:15: upstreams\.api\.servers\[0\]: /)
  }
  for (const address of ['a:1', 'my_app.internal:65535', '[::1]:80', 'unix:/run/a.sock'])
    assert.ok((await loadText(server(address))).ok, address)
})

test('matches are checked', async () => {
  const cases: [match: string, problem: RegExp][] = [
    ['host: "a:80"', /write the host without port/],
    ['host: "*"', /leave host out/],
    ['host: "a.*"', /expected a host/],
    ['path: x', /expected a path/],
    ['path: "~^/("', /^weir\.yaml:6:26: .*not a valid regular expression/],
    ['path: "/a?b"', /no \? or #/],
    ['clientIp: 10.0.0.0/33', /a prefix length from 0 to 32/],
    ['clientIp: 10.0.0', /expected an IP address/],
    ['header: { "a b": x }', /expected a header name/],
    ['header: { a: { regex: "[" } }', /not a valid regular expression/],
    ['header: { A: x, a: y }', /the same header as "A"/],
    ['query: { p: 1 }', /write it in quotes/],
    ['host: []', /expected at least one entry/],
    ['any: [{ not: { pth: /x } }]', /match\.any\[0\]\.not\.pth: unknown key, did you mean "path"\?/],
  ]
  for (const [match, problem] of cases) await refuses(configWith({ route: `match: { ${match} }, upstream: api` }), problem)
})

test('header edits cannot break the framing of a message', async () => {
  const edit = (edits: string) => configWith({ route: `upstream: api, headers: { request: { ${edits} } }` })
  await refuses(edit('set: { Host: a }'), /use "host: server"/)
  for (const name of ['Content-Length', 'transfer-encoding', 'Connection'])
    await refuses(edit(`remove: [${name}]`), /written by weir itself/)
  await refuses(edit('set: { A: "x\\r\\nB: y" }'), /must not hold control characters/)
})

test('values out of range name the range', async () => {
  await refuses(configWith({ listener: 'limits: { headerBytes: 64KiB }' }), /expected at most 65535 bytes, found 64KiB \(65536 bytes\)/)
  await refuses(configWith({ listener: 'limits: { headerBytes: 1000 }' }), /expected at least 1KiB \(1024 bytes\), found 1000 bytes/)
  await refuses(configWith({ listener: 'limits: { headers: 257 }' }), /expected an integer from 1 to 256, found the number 257/)
  await refuses(configWith().replace('"127.0.0.1:9001"', '{ address: "a:1", weight: 300 }'), /weight: expected an integer from 0 to 256/)
})

test('the words that are in force are accepted', async () => {
  const text = configWith({
    root: 'admin: off\nlog: { access: off }',
    listener: 'proxyProtocol: off',
    upstream: 'health: off\n    passiveHealth: off',
  })
  assert.ok((await loadText(text)).ok)
})

test('functions cannot stand in YAML', async () => {
  await refuses(configWith({ route: 'upstream: api, onRequest: x' }), /only a TypeScript or JavaScript config can have one/)
})

test('what is probably not meant is a warning', async () => {
  const result = await loadText(
    `${configWith({ route: 'upstream: api, headers: { request: { set: { A: "{clientip} {host}" } } }' })}  idle: { servers: ["a:1"] }\n`,
  )
  assert.ok(result.ok)
  assert.deepEqual(
    result.warnings.map((warning) => problemLine(warning).replace(/^.*weir\.yaml/, '')),
    [
      ':6:58: listeners.web.routes[0].headers.request.set.A: {clientip} is no placeholder and is sent as it stands, did you mean "{client.ip}"?',
      ':10:3: upstreams.idle: no route uses this upstream',
    ],
  )
})
