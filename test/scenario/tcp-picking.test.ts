// Which server a TCP connection gets: another one when one refuses, none that is full, and tunnels count as load.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { echoes, namedServer, sawReset, whoAnswers } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { startServerProcess } from './lib/server-process.ts'
import { inTime, type Scope, timed, until } from './lib/wait.ts'

// Nobody listens on these.
const REFUSING = '127.0.0.1:1'
const ALSO_REFUSING = '127.0.0.1:2'
const THIRD_REFUSING = '127.0.0.1:3'

const a = await namedServer(file, 'a')
const b = await namedServer(file, 'b')
const upstreams = {
  refusing: { balance: 'round-robin', servers: [REFUSING, ALSO_REFUSING, a.address] },
  down: { servers: [REFUSING, ALSO_REFUSING] },
  more: { servers: [REFUSING, ALSO_REFUSING, THIRD_REFUSING] },
  once: { servers: [REFUSING, { address: a.address, backup: true }], retry: { attempts: 0 } },
  full: { servers: [{ address: a.address, maxConnections: 2 }] },
  pair: { servers: [a, b].map(({ address }) => ({ address, maxConnections: 3 })) },
  load: { servers: [a.address, b.address] },
}
const listeners = Object.fromEntries(Object.keys(upstreams).map((name) => [name, { protocol: 'tcp', bind: '127.0.0.1:0', upstream: name }]))
const weir = await startBalancer(file, tcpConfig({ servers: [], top: { listeners, upstreams } }), { workers: 2 })

const NO_SERVER = /closed a connection from 127\.0\.0\.1: no server can be reached/

async function expectReset(scope: Scope, listener: string): Promise<void> {
  // It may come before the client knows that it is connected.
  const client = await connect(scope, weir.port(listener)).catch((error: NodeJS.ErrnoException) => error)
  if (client instanceof Error) return assert.equal(client.code, 'ECONNRESET')
  await client.expectClosed()
  assert.equal(sawReset(client), true)
}

test('a connection that two servers refuse goes to the third, and its client sees nothing', async (t) => {
  const names = await Promise.all(Array.from({ length: 40 }, async () => (await whoAnswers(t, weir.port('refusing'))).name))
  assert.deepEqual([...new Set(names)], ['a'])
})

test('what a client said at once reaches the server that took it in the end', async (t) => {
  const client = await connect(t, weir.port('refusing'))
  client.send('hello')
  assert.equal(await client.reader.takeUntil('hello'), 'a\nhello')
})

test('when every server refuses, the connection is reset and the log says why', async (t) => {
  for (const listener of ['down', 'more']) {
    await expectReset(t, listener)
    await until(() => weir.log().includes(`listener ${listener}: closed`), { what: 'a line in the log' })
  }
  assert.match(weir.log(), NO_SERVER)
})

test('retries that are turned off are not made', async (t) => {
  await expectReset(t, 'once')
})

test('a server that takes no connection is left after timeouts.connect for another one', async (t) => {
  const full = await startServerProcess(t, 'full')
  full.freeze()
  t.after(() => full.thaw())
  // Fills the kernel's queue of the server that accepts nothing.
  const fillers: Client[] = []
  await until(
    () =>
      inTime(connect(t, full.port), { within: 200 }).then(
        (client) => void fillers.push(client),
        () => true,
      ),
    { what: 'the queue of the server is full' },
  )
  const upstream = { balance: 'round-robin', timeouts: { connect: '300ms' } }
  const own = await startBalancer(t, tcpConfig({ servers: [full.address, a.address], upstream }))
  for (let i = 0; i < 4; i++) {
    const { value, ms } = await timed(whoAnswers(t, own.port()))
    assert.equal(value.name, 'a')
    assert.ok(ms < 1_500, `after ${ms} ms`)
  }
})

test('a server at its maxConnections gets no more, and is used again when a tunnel has ended', async (t) => {
  const first = await whoAnswers(t, weir.port('full'))
  const second = await whoAnswers(t, weir.port('full'))
  const seen = a.connections
  await expectReset(t, 'full')
  await expectReset(t, 'full')
  assert.equal(a.connections, seen, 'the server saw nothing of it')
  first.client.end()
  const third = await until(() => whoAnswers(t, weir.port('full'), 500).catch(() => undefined), { what: 'a free place' })
  await echoes(third.client, 'in its place')
  await echoes(second.client, 'undisturbed')
  await expectReset(t, 'full')
})

test('connections beyond one server’s maxConnections go to the other, over all workers', async (t) => {
  const open = await Promise.all(Array.from({ length: 6 }, () => whoAnswers(t, weir.port('pair'))))
  assert.deepEqual(open.map(({ name }) => name).sort(), ['a', 'a', 'a', 'b', 'b', 'b'])
  await expectReset(t, 'pair')
})

test('a tunnel counts as load for its server until it ends', async (t) => {
  const open = await Promise.all(Array.from({ length: 12 }, () => whoAnswers(t, weir.port('load'))))
  const onA = open.filter(({ name }) => name === 'a')
  assert.ok(onA.length >= 5 && onA.length <= 7, `${onA.length} of 12`)
  const before = a.open
  for (const { client } of onA) client.end()
  await until(() => a.open === before - onA.length)
  for (let i = 0; i < 4; i++) assert.equal((await whoAnswers(t, weir.port('load'))).name, 'a')
})
