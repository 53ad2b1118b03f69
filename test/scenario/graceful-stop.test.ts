// TERM finishes what is there, takes nothing new, and ends within the grace.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
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
