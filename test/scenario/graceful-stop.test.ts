// TERM finishes what is there, takes nothing new, and ends within the grace.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { config, tcpConfig } from './lib/config.ts'
import { freePort } from './lib/listening.ts'
import { isRunning } from './lib/processes.ts'
import { response } from './lib/raw-server.ts'
import { type ScriptedServer, scriptedServer } from './lib/scripted-server.ts'
import { deferred, inTime, type Scope, timed, until } from './lib/wait.ts'

async function setup(
  scope: Scope,
  grace: string,
): Promise<{ weir: Awaited<ReturnType<typeof startBalancer>>; server: ScriptedServer; client: Client }> {
  const server = await scriptedServer(scope)
  const weir = await startBalancer(scope, config({ servers: [server.address], top: { shutdown: { grace } } }), { workers: 2 })
  return { weir, server, client: await connect(scope, weir.port()) }
}

test('TERM without traffic ends all processes with exit code 0', async (t) => {
  const { weir } = await setup(t, '5s')
  const workers = weir.workerPids()
  const { value, ms } = await timed(weir.stop())
  assert.deepEqual(value, { code: 0, signal: null })
  assert.ok(ms < 3_000, `after ${ms} ms`)
  await until(() => !workers.some(isRunning))
})

test('a request in flight is finished, its connection closed, and nobody new is accepted', async (t) => {
  const { weir, server, client } = await setup(t, '5s')
  const go = deferred()
  server.on('/slow', async (socket) => {
    await go.promise
    socket.write(response('finished'))
  })
  client.request('GET /slow')
  await until(() => server.headsOf('/slow').length === 1)
  weir.signal('SIGTERM')
  await until(
    () =>
      connect(t, weir.port()).then(
        () => false,
        () => true,
      ),
    { what: 'new connections are refused' },
  )
  go.resolve()
  const answer = await client.readResponse()
  assert.equal(answer.text, 'finished')
  assert.equal(answer.header('connection'), 'close')
  await client.expectClosed()
  assert.equal((await inTime(weir.exited)).code, 0)
})

test('idle connections do not hold the end up', async (t) => {
  const { weir, client } = await setup(t, '10s')
  client.request('GET /')
  await client.readResponse()
  const { value, ms } = await timed(weir.stop())
  assert.equal(value.code, 0)
  assert.ok(ms < 5_000, `after ${ms} ms`)
})

test('a long download goes on until the grace is over, and not longer', async (t) => {
  const { weir, server, client } = await setup(t, '1500ms')
  server.on('/long', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
    const timer = setInterval(() => socket.write('x'.repeat(1000)), 50)
    await socket.closed(30_000).finally(() => clearInterval(timer))
  })
  client.request('GET /long')
  await client.readHead()
  weir.signal('SIGTERM')
  const { ms } = await timed(client.reader.takeRest(10_000))
  assert.ok(ms > 1_200 && ms < 4_000, `cut after ${ms} ms`)
  await inTime(weir.exited)
  assert.match(weir.log(), /worker \d: 1 connection and 0 tunnels were still open after 1\.5 s and are cut/)
})

test('a tunnel that is cut is told with its client and its server', async (t) => {
  const server = await scriptedServer(t)
  const settings = tcpConfig({ servers: [{ name: 'a', address: server.address }], top: { shutdown: { grace: '500ms' } } })
  const weir = await startBalancer(t, settings)
  const client = await connect(t, weir.port())
  client.request('GET /')
  await client.readResponse()
  weir.signal('SIGTERM')
  await inTime(weir.exited)
  assert.match(weir.log(), /0 connections and 1 tunnel were still open after 0\.5 s and are cut: 127\.0\.0\.1\S* to app\/a for \d+ s/)
})

test('with a delay it says that it is not ready, and takes connections for as long', async (t) => {
  const server = await scriptedServer(t)
  const port = await freePort()
  const top = { shutdown: { grace: '2s', delay: '800ms' }, admin: { bind: `127.0.0.1:${port}` } }
  const weir = await startBalancer(t, config({ servers: [server.address], top }))
  const readiness = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status
  assert.equal(await readiness(), 200)
  weir.signal('SIGTERM')
  await until(async () => (await readiness()) === 503, { what: 'it is not ready' })
  const client = await connect(t, weir.port())
  client.request('GET /')
  assert.equal((await client.readResponse()).status, 200, 'a new connection during the delay')
  assert.equal((await inTime(weir.exited)).code, 0)
})

test('a download that ends within the grace is complete', async (t) => {
  const { weir, server, client } = await setup(t, '8s')
  const go = deferred()
  server.on('/long', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n')
    await go.promise
    socket.write('x'.repeat(1_000_000))
  })
  client.request('GET /long')
  await until(() => client.reader.pending.length > 0)
  weir.signal('SIGTERM')
  await until(() =>
    connect(t, weir.port()).then(
      () => false,
      () => true,
    ),
  )
  go.resolve()
  assert.equal((await client.readResponse()).body.length, 1_000_000)
  assert.equal((await inTime(weir.exited)).code, 0)
})

test('a second TERM ends it at once', async (t) => {
  const { weir, server, client } = await setup(t, '30s')
  server.on('/never', async (socket) => socket.closed(60_000))
  client.request('GET /never')
  await until(() => server.heads.length === 1)
  weir.signal('SIGTERM')
  await until(() =>
    connect(t, weir.port()).then(
      () => false,
      () => true,
    ),
  )
  weir.signal('SIGTERM')
  const { ms } = await timed(inTime(weir.exited))
  assert.ok(ms < 3_000, `after ${ms} ms`)
})

test('INT is as graceful as TERM', async (t) => {
  const { weir } = await setup(t, '5s')
  weir.signal('SIGINT')
  assert.equal((await inTime(weir.exited)).code, 0)
})
