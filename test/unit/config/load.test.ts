import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configFromInput, findConfig, loadConfig } from '../../../src/shared/config/load.ts'
import { renderProblems } from '../../../src/shared/config/problem.ts'
import { configOf, configWith, directory, file, loadText, problemsOf } from './helper.ts'

test('defaults are filled in, in milliseconds and bytes', async () => {
  const {
    listeners: [web],
    upstreams: [api],
    shutdown,
  } = await configOf(configWith())
  assert.deepEqual(web?.limits, { connections: 20_000, connectionsPerIp: null, headerBytes: 16_384, headers: 100, bodyBytes: null })
  assert.deepEqual(web?.timeouts, { handshakeMs: 10_000, headerMs: 10_000, bodyMs: 30_000, keepAliveMs: 75_000, writeMs: 60_000 })
  assert.equal(web?.forwardedHeaders.length, 7)
  assert.deepEqual(api?.timeouts, { connectMs: 2000, firstByteMs: 30_000, idleMs: 60_000, tunnelMs: 3_600_000, totalMs: null })
  assert.deepEqual(api?.retry, {
    attempts: 2,
    on: ['connect', 'unsent', 'reset', 'timeout'],
    statuses: [],
    budget: 0.2,
    maxMs: 10_000,
    backoff: { baseMs: 25, maxMs: 250 },
    replayBytes: 65_536,
  })
  assert.deepEqual([api?.balance, api?.keepAlive, api?.responseHeaderBytes], ['power-of-two', { idle: 64, idleTimeoutMs: 4000 }, 32_768])
  assert.deepEqual(shutdown, { graceMs: 25_000, delayMs: 0, spreadMs: 5_000 })
})

test('routes become the model', async () => {
  const route = `match: { host: [A.example.com, "*.B.org"], path: [/v1/, =/x, "~^/y"], method: get, header: { X-Env: [a, { regex: b }] } },
        split: { api: 90%, other: 10% }, rewrite: { stripPrefix: /v1 }, host: server,
        headers: { request: { set: { X-Env: prod }, add: { X-L: [a, b] } }, response: { remove: [Server] } }`
  const config = await configOf(`${configWith({ route })}  other: { servers: [{ name: b, address: "[::1]:80", weight: 3, tier: 0 }] }\n`)
  const [built] = config.listeners[0]?.routes ?? []
  assert.deepEqual(built?.place, { path: 'listeners.web.routes[0]', line: 6 })
  assert.deepEqual(built?.match, {
    host: ['a.example.com', '*.b.org'],
    path: [
      { kind: 'prefix', value: '/v1/' },
      { kind: 'exact', value: '/x' },
      { kind: 'regex', value: '^/y' },
    ],
    method: ['GET'],
    header: { 'x-env': ['a', { regex: 'b' }] },
  })
  assert.deepEqual(built?.action, {
    kind: 'forward',
    split: [
      { upstream: 'api', share: 0.9 },
      { upstream: 'other', share: 0.1 },
    ],
  })
  assert.deepEqual(built?.headers.request, {
    set: [['X-Env', 'prod']],
    add: [
      ['X-L', 'a'],
      ['X-L', 'b'],
    ],
    remove: [],
  })
  assert.deepEqual(config.upstreams[1]?.servers, [
    { name: 'b', address: { kind: 'tcp', host: '::1', port: 80, text: '[::1]:80' }, weight: 3, maxConnections: null, tier: 0, zone: null },
  ])
})

test('the upstream shorthand of a listener is one route that matches all', async () => {
  const config = await configOf(
    'listeners: { web: { bind: [":0", "unix:/run/w.sock"], upstream: api } }\nupstreams: { api: { servers: ["a:1"] } }\n',
  )
  assert.deepEqual(
    config.listeners[0]?.routes.map(({ match, action }) => ({ match, action })),
    [{ match: {}, action: { kind: 'forward', split: [{ upstream: 'api', share: 1 }] } }],
  )
  assert.deepEqual(config.listeners[0]?.bind, [
    { kind: 'tcp', host: '', port: 0, lastPort: 0, text: ':0' },
    { kind: 'unix', path: '/run/w.sock', text: 'unix:/run/w.sock' },
  ])
})

test('variables expand in every text, with defaults, as numbers where one is expected, and $${ stays', async () => {
  const text = configWith({ root: 'workers: ${N}', route: 'match: {}, answer: { body: "$${a} ${A:-none}${B}" }, onRequest: null' }).replace(
    ', onRequest: null',
    '',
  )
  const config = await configOf(text, { N: '3', B: '!' })
  assert.equal(config.workers, 3)
  const action = config.listeners[0]?.routes[0]?.action
  assert.equal(action?.kind === 'answer' ? action.body : '', '${a} none!')
})

test('a variable that is not set is named with its place, and only once', async () => {
  assert.deepEqual(await problemsOf(configWith({ root: 'workers: ${COUNT}' })), [
    'weir.yaml:1:10: workers: the environment variable COUNT is not set; set it, or write ${COUNT:-default}',
  ])
})

test('error pages are read when the config is loaded, and a missing one is named where it stands', async () => {
  file('busy.html', '<h1>busy</h1>')
  const config = await configOf(
    configWith({ listener: 'errorPages: { 503: { file: busy.html }, 404: { body: none, contentType: text/plain } }' }),
  )
  assert.deepEqual(config.listeners[0]?.errorPages, {
    404: { contentType: 'text/plain', body: 'none' },
    503: { contentType: 'text/html; charset=utf-8', body: '<h1>busy</h1>' },
  })
  const [problem] = await problemsOf(configWith({ listener: 'errorPages: { 503: { file: missing.html } }' }))
  assert.match(problem ?? '', /^weir\.yaml:5:32: listeners\.web\.errorPages\.503\.file: .*missing\.html: no such file$/)
})

test('JSON has places too, even indented by tabs', async () => {
  assert.deepEqual(await problemsOf('{\n\t"listeners": {},\n\t"wrokers": 1\n}', {}, 'weir.json'), [
    'weir.json:2:15: listeners: expected at least one entry, found none',
    'weir.json:3:2: wrokers: unknown key, did you mean "workers"?',
  ])
})

test('a TypeScript config imports weir itself, keeps its functions, and is loaded anew each time', async () => {
  const text = (body: string) => `import { defineConfig } from 'weir'
const port: number = 8080
export default defineConfig({
  listeners: { web: { bind: \`:\${port}\`, routes: [{ match: {}, upstream: 'api', onRequest: () => ({ answer: { status: 200, body: '${body}' } }), pick: (r, s) => s[0] }] } },
  upstreams: { api: { servers: ['127.0.0.1:1'] } },
})`
  for (const body of ['one', 'two']) {
    const result = await loadText(text(body), {}, 'weir.config.ts')
    assert.ok(result.ok)
    const route = result.config.listeners[0]?.routes[0]
    assert.deepEqual((route?.onRequest as () => unknown)(), { answer: { status: 200, body } })
    assert.equal(typeof route?.pick, 'function')
  }
})

test('problems of a TypeScript config name the key path, or the line of what does not run', async () => {
  const load = (text: string) => problemsOf(text, {}, 'weir.config.ts')
  assert.deepEqual(
    await load("export default { listeners: { web: { bind: ':1', bnid: 1, upstream: 'a' } }, upstreams: { a: { servers: ['a:1'] } } }"),
    ['weir.config.ts: listeners.web.bnid: unknown key, did you mean "bind"?'],
  )
  assert.match((await load("\n\nthrow new Error('no luck')"))[0] ?? '', /^weir\.config\.ts:3:\d+: the config cannot be run: no luck$/)
  assert.match((await load('export default {\n  a: ]'))[0] ?? '', /^weir\.config\.ts:2:\d+: the config cannot be run: /)
  assert.match((await load('export const a = 1'))[0] ?? '', /no default export; write "export default defineConfig/)
  assert.match((await load('export default { listeners: new Map() }'))[0] ?? '', /listeners: expected plain maps and lists, found a Map/)
})

test('a value of a program is checked as a file is', () => {
  const result = configFromInput(
    { listeners: { web: { bind: ':0', upstream: 'a' } }, upstreams: { a: { servers: ['a:1'] } } },
    '<command line>',
  )
  assert.ok(result.ok)
  assert.equal(result.config.source, '<command line>')
  const circular: Record<string, unknown> = {}
  circular['listeners'] = circular
  const refused = configFromInput(circular as never, '<command line>')
  assert.match(refused.ok ? '' : renderProblems(refused.problems), /the value contains itself/)
})

test('what is no config file is named as such', async () => {
  mkdirSync(join(directory, 'folder.yaml'), { recursive: true })
  const cases: [path: string, message: RegExp][] = [
    [join(directory, 'none.yaml'), /no such file/],
    [join(directory, 'folder.yaml'), /is a directory/],
    [file('weir.conf', 'a'), /unknown kind of file/],
    [file('big.yaml', new Uint8Array(8 * 1024 * 1024 + 1)), /larger than 8MiB/],
    [file('latin.yaml', new Uint8Array([0x61, 0xff])), /not valid UTF-8/],
    [file('empty.yaml', ''), /the config is empty/],
    [file('comment.yaml', '# nothing\n'), /the config is empty/],
    [file('list.yaml', '- a\n'), /expected a map with listeners and upstreams, found a list/],
    ['/dev/null', /not a regular file/],
  ]
  for (const [path, message] of cases) {
    const result = await loadConfig(path, {})
    assert.match(result.ok ? '' : renderProblems(result.problems), message)
  }
})

test('findConfig takes YAML before TypeScript', () => {
  const cwd = join(directory, 'find')
  mkdirSync(cwd)
  assert.equal(findConfig(cwd), null)
  file('find/weir.config.ts', '')
  assert.equal(findConfig(cwd), join(cwd, 'weir.config.ts'))
  file('find/weir.yml', '')
  assert.equal(findConfig(cwd), join(cwd, 'weir.yml'))
})

test('a problem is shown with its line and a caret, and nothing of the file steers the terminal', async () => {
  const result = await loadText(configWith({ root: 'workers: two # \u009b31m' }))
  assert.ok(!result.ok)
  assert.equal(
    renderProblems(result.problems).replace(`${directory}/`, ''),
    [
      'weir.yaml:1:10: workers: expected auto or integer from 1 to 256, found "two"',
      '  1 | workers: two # \ufffd31m',
      '    |          ^^^',
      '',
    ].join('\n'),
  )
})
