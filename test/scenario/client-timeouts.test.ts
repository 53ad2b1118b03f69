// Clients that stall: what each deadline of a listener does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { deferred, inTime, timed } from './lib/wait.ts'

const server = await scriptedServer(file)
const timeouts = { header: '400ms', body: '400ms', keepAlive: '600ms', write: '500ms' }
const weir = await startBalancer(file, config({ servers: [server.address], listener: { timeouts } }))

/** Not before the deadline, and at most the wheel's and a busy machine's delay later. */
function assertAbout(ms: number, expected: number): void {
  assert.ok(ms > expected * 0.8 && ms < expected + 1_500, `${Math.round(ms)} ms instead of about ${expected} ms`)
}

test('a header that does not end is answered with 408, and bytes that trickle do not help', async (t) => {
  const client = await connect(t, weir.port())
  const drip = setInterval(() => client.send('X-Drip: 1\r\n'), 50)
  t.after(() => clearInterval(drip))
  client.send('GET / HTTP/1.1\r\nHost: test\r\n')
  const { value, ms } = await timed(client.readResponse())
  clearInterval(drip)
  assert.equal(value.status, 408)
  assertAbout(ms, 400)
  await client.reader.takeRest()
})

test('the second request of a connection has the same deadline', async (t) => {
  const client = await connect(t, weir.port())
  client.request('GET /first')
  await client.readResponse()
  client.send('GET /second HTTP/1.1\r\n')
  const { value, ms } = await timed(client.readResponse())
  assert.equal(value.status, 408)
  assertAbout(ms, 400)
})

test('a body that stalls is answered with 408, and the server gets no complete request', async (t) => {
  const got = deferred<string>()
  server.on('/stalls', async (socket) => {
    got.resolve((await socket.reader.takeRest()).toString())
    socket.socket.destroy()
  })
  const client = await connect(t, weir.port())
  client.request('POST /stalls', { 'Content-Length': '100' }, 'half')
  const { value, ms } = await timed(client.readResponse())
  assert.equal(value.status, 408)
  assertAbout(ms, 400)
  await client.expectClosed()
  assert.equal(await inTime(got.promise), 'half')
})

test('a body that goes on slowly is not cut: the deadline is between two reads', async (t) => {
  server.on('/slow', async (socket) => {
    await socket.readBytes(10)
    socket.write(response('all ten'))
  })
  const client = await connect(t, weir.port())
  client.request('POST /slow', { 'Content-Length': '10' })
  for (let i = 0; i < 10; i++) {
    await delay(100)
    client.send('x')
  }
  assert.equal((await client.readResponse()).text, 'all ten')
})

test('an idle connection is closed without a word', async (t) => {
  const client = await connect(t, weir.port())
  client.request('GET /')
  await client.readResponse()
  const { ms } = await timed(client.expectClosed())
  assertAbout(ms, 600)
})

test('a connection that never sends anything is closed without a word', async (t) => {
  const client = await connect(t, weir.port())
  await client.expectClosed(5_000)
})

test('waiting for a slow server is not idling', async (t) => {
  server.on('/late', async (socket) => {
    await delay(1_200)
    socket.write(response('late'))
  })
  const client = await connect(t, weir.port())
  client.request('GET /late')
  assert.equal((await client.readResponse()).text, 'late')
})

test('a client that takes nothing of its response is closed, and so is the work for it', async (t) => {
  const ended = deferred()
  server.on('/endless', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
    const feed = () => {
      while (!socket.socket.destroyed && socket.socket.write(Buffer.alloc(65_536)));
    }
    socket.socket.on('drain', feed)
    feed()
    await socket.closed(20_000).finally(() => socket.socket.destroy())
    ended.resolve()
  })
  const client = await connect(t, weir.port())
  client.reader.pause()
  client.request('GET /endless')
  const { ms } = await timed(inTime(ended.promise, { within: 8_000, what: 'the end of the response at the server' }))
  assert.ok(ms > 400, `cut after ${ms} ms`)
})

test('a client that reads slowly but steadily is not cut', async (t) => {
  server.on('/steady', response('x'.repeat(3_000_000)))
  const client = await connect(t, weir.port())
  client.request('GET /steady')
  const pace = setInterval(() => {
    client.reader.resume()
    setTimeout(() => client.reader.pause(), 5)
  }, 100)
  t.after(() => clearInterval(pace))
  setTimeout(() => {
    clearInterval(pace)
    setTimeout(() => client.reader.resume(), 20)
  }, 1_500)
  assert.equal((await client.readResponse({ within: 20_000 })).body.length, 3_000_000)
})
