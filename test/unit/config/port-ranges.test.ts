import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListenError, openListeningSockets } from '../../../src/primary/listening-sockets.ts'
import { configOf, configWith, loadText, problemsOf } from './helper.ts'

const bound = (bind: string) => configWith().replace('":8080"', bind)

test('a range of ports is checked', async () => {
  const cases: [bind: string, problem: RegExp][] = [
    ['":9000-8000"', /the range 9000-8000 ends before it begins; write "8000-9000"/],
    ['":0-10"', /expected a port from 1 to 65535, or a range of them such as 8000-8100, found "0-10"/],
    ['"a:1-65536"', /expected a port from 1 to 65535, or a range/],
    ['":1-"', /expected a port from 1 to 65535, or a range/],
    ['":8000-9000"', /a range has at most 1000 ports, found 1001 in 8000-9000; write several ranges/],
    ['8000-8100', /write ":8000-8100" to listen on every address/],
    ['"*:8000-8100"', /write ":8000-8100" to listen on every address/],
  ]
  for (const [bind, problem] of cases) {
    const problems = await problemsOf(bound(bind))
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
  }
  for (const bind of ['":8000-8999"', '"host:8000-8000"', '"[::1]:1-2"']) assert.ok((await loadText(bound(bind))).ok, bind)
})

test('a server has one port', async () => {
  const text = configWith().replace('127.0.0.1:9001', '127.0.0.1:9001-9002')
  assert.match((await problemsOf(text)).join(), /servers\[0\]: expected a port from 1 to 65535, found "9001-9002"/)
})

test('ranges that share a port overlap', async () => {
  for (const bind of [
    '[":8000-8100", ":8100-8200"]',
    '[":8100-8200", ":8000-8100"]',
    '["127.0.0.1:8000-8010", ":8005"]',
    '["0.0.0.0:7500-8100", "127.0.0.1:8000"]',
  ]) {
    assert.match(
      (await problemsOf(bound(bind))).join(),
      /listeners\.web\.bind\[1\]: .* is already taken by listeners\.web\.bind\[0\]/,
      bind,
    )
  }
  for (const bind of ['[":8000-8100", ":8101-8200"]', '["127.0.0.1:8000-8010", "[::1]:8000-8010"]', '[":8000-8010", ":0"]'])
    assert.ok((await loadText(bound(bind))).ok, bind)
})

test('all listeners together have at most 2,000 sockets', async () => {
  assert.ok((await loadText(bound('[":1001-2000", ":2001-3000"]'))).ok)
  assert.deepEqual(await problemsOf(bound('[":1001-2000", ":2001-3000", "unix:/run/a.sock", ":4000"]')), [
    'weir.yaml:4:40: listeners.web.bind[2]: all listeners together have at most 2000 listening sockets, one for each port; ' +
      'with this there are 2001; listen on fewer ports',
  ])
})

/** Opens in memory: descriptors from 100, and port 40000 for port 0. `taken` is in use. */
class FakeOpener {
  opened: string[] = []
  closed: number[] = []
  readonly #taken: number

  constructor(taken = -1) {
    this.#taken = taken
  }

  openListener(at: { host: string; port: number } | { path: string }): { fd: number; port: number } {
    if ('path' in at) return this.#open(at.path, 0)
    if (at.port === this.#taken) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' })
    return this.#open(`${at.host}:${at.port}`, at.port === 0 ? 40_000 : at.port)
  }

  closeFd(fd: number): void {
    this.closed.push(fd)
  }

  #open(text: string, port: number): { fd: number; port: number } {
    this.opened.push(text)
    return { fd: 99 + this.opened.length, port }
  }
}

const listeners = `
listeners:
  db: { bind: ["unix:/run/d.sock", "127.0.0.1:8000-8002", ":0"], protocol: tcp, upstream: a }
  secure: { bind: "[::1]:443", protocol: tls, upstream: a }
  web: { bind: ":80", upstream: a }
upstreams: { a: { servers: ["a:1"] } }
`

test('each port of a range is opened, and workers learn the port of each socket', async () => {
  const opener = new FakeOpener()
  const open = openListeningSockets(opener, (await configOf(listeners)).listeners, 7)
  assert.deepEqual(opener.opened, ['/run/d.sock', '127.0.0.1:8000', '127.0.0.1:8001', '127.0.0.1:8002', ':0', '::1:443', ':80'])
  assert.deepEqual(open.fds, [100, 101, 102, 103, 104, 105, 106])
  assert.deepEqual(open.byListener, [
    { fds: [7, 8, 9, 10, 11], ports: [0, 8000, 8001, 8002, 40_000], port: '8000' },
    { fds: [12], ports: [443], port: '443' },
    { fds: [13], ports: [80], port: '80' },
  ])
  assert.deepEqual(open.paths, ['/run/d.sock'])
  assert.deepEqual(open.texts, [
    'unix:/run/d.sock (db)',
    'tcp://127.0.0.1:8000-8002 (db)',
    'tcp://*:40000 (db)',
    'tls://[::1]:443 (secure)',
    'http://*:80 (web)',
  ])
})

test('when one port of a range is taken it is named, and nothing stays open', async () => {
  const opener = new FakeOpener(8002)
  const { listeners: all } = await configOf(listeners)
  assert.throws(
    () => openListeningSockets(opener, all, 7),
    (error) => error instanceof ListenError && error.message.startsWith('127.0.0.1:8002 is in use by another process'),
  )
  assert.deepEqual(opener.closed, [100, 101, 102])
})
