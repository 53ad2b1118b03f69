import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListenError, Listeners } from '../../../src/primary/listening-sockets.ts'
import type { ListenerConfig } from '../../../src/shared/config/model.ts'
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

function listenersWith(addon: FakeOpener): Listeners {
  return new Listeners({ addon, rows: 64, connections: () => 0 })
}

test('each port of a range is opened, and workers learn the port of each socket', async () => {
  const opener = new FakeOpener()
  const { listeners: all } = await configOf(listeners)
  const owner = listenersWith(opener)
  const open = owner.prepare(all)
  owner.commit(open, all)
  assert.deepEqual(opener.opened, ['/run/d.sock', '127.0.0.1:8000', '127.0.0.1:8001', '127.0.0.1:8002', ':0', '::1:443', ':80'])
  assert.deepEqual([...owner.fds.values()], [100, 101, 102, 103, 104, 105, 106])
  assert.deepEqual(
    open.map(({ slot, keys, ports, port }) => ({ slot, sockets: keys.length, ports, port })),
    [
      { slot: 0, sockets: 5, ports: [0, 8000, 8001, 8002, 40_000], port: '8000' },
      { slot: 1, sockets: 1, ports: [443], port: '443' },
      { slot: 2, sockets: 1, ports: [80], port: '80' },
    ],
  )
  assert.deepEqual(
    open.flatMap(({ addresses, name }) => addresses.map((text) => `${text} (${name})`)),
    ['unix:/run/d.sock (db)', 'tcp://127.0.0.1:8000-8002 (db)', 'tcp://*:40000 (db)', 'tls://[::1]:443 (secure)', 'http://*:80 (web)'],
  )
})

test('when one port of a range is taken it is named, and nothing stays open', async () => {
  const opener = new FakeOpener(8002)
  const { listeners: all } = await configOf(listeners)
  assert.throws(
    () => listenersWith(opener).prepare(all),
    (error) => error instanceof ListenError && error.message.startsWith('127.0.0.1:8002 is in use by another process'),
  )
  assert.deepEqual(opener.closed, [100, 101, 102])
})

test('a later config opens what is new, keeps what it has, and closes the rest when it is in force', async () => {
  const opener = new FakeOpener()
  const { listeners: all } = await configOf(listeners)
  const [db, secure, web] = all as [ListenerConfig, ListenerConfig, ListenerConfig]
  const owner = listenersWith(opener)
  owner.commit(owner.prepare([db, secure]), [db, secure])
  const before = owner.listeners
  const next = owner.prepare([web, db])
  assert.deepEqual(opener.opened.slice(6), [':80'])
  assert.deepEqual(opener.closed, [])
  assert.deepEqual(
    next.map(({ name, slot }) => [name, slot]),
    [
      ['web', 2],
      ['db', 0],
    ],
  )
  owner.rollback()
  assert.deepEqual(opener.closed, [106])
  assert.deepEqual(owner.listeners, before)
  owner.commit(owner.prepare([web, db]), [web, db])
  assert.deepEqual(opener.closed, [106, 105])
})

test('a row is given to another listener only when nobody is connected to the old one', async () => {
  const opener = new FakeOpener()
  const { listeners: all } = await configOf(listeners)
  const [, secure, web] = all as [ListenerConfig, ListenerConfig, ListenerConfig]
  let open = 0
  const owner = new Listeners({ addon: opener, rows: 2, connections: (slot) => (slot === 0 ? open : 0) })
  owner.commit(owner.prepare([secure]), [secure])
  open = 3
  owner.commit(owner.prepare([web]), [web])
  assert.equal(owner.listeners[0]?.slot, 1)
  assert.throws(() => owner.prepare([secure]), /at most 2/)
  open = 0
  owner.commit(owner.prepare([secure]), [secure])
  assert.equal(owner.listeners[0]?.slot, 0)
})

test('one address in two listeners is refused', async () => {
  const { listeners: all } = await configOf(listeners)
  const web = all[2] as ListenerConfig
  assert.throws(() => listenersWith(new FakeOpener()).prepare([web, { ...web, name: 'other' }]), /:80 is named twice/)
})
