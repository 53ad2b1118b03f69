// How long connections live on both sides, and that pipelined requests are answered in their order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { type Echo, startServer } from './lib/server.ts'

const real = await startServer(file, async (req, res, seen) => {
  await delay(Number(req.headers['x-wait'] ?? 0))
  res.end(JSON.stringify({ server: 'a', ...seen }))
})
const scripted = await scriptedServer(file)
const upstreams = { app: { servers: [real.address] }, scripted: { servers: [scripted.address] } }
const routes = [
  { match: { path: '/s/' }, upstream: 'scripted' },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

test('requests of several clients share one pooled connection to the server', async (t) => {
  const before = real.connections
  const client = await connect(t, weir.port())
  for (const path of ['/1', '/2', '/3']) {
    client.request(`GET ${path}`)
    assert.equal((JSON.parse((await client.readResponse()).text) as Echo).url, path)
  }
  assert.equal((await ask(t, weir.port(), 'GET /4')).status, 200)
  assert.ok(real.connections - before <= 1, `${real.connections - before} connections were opened`)
})

test('Connection: close from the client ends its connection and keeps the one to the server', async (t) => {
  await ask(t, weir.port(), 'GET /warm')
  const before = real.connections
  const client = await connect(t, weir.port())
  client.request('GET /', { Connection: 'close' })
  const answer = await client.readResponse()
  assert.equal(answer.header('connection'), 'close')
  await client.expectClosed()
  await ask(t, weir.port(), 'GET /next')
  assert.equal(real.connections, before)
})

test('Connection: close from the server does not close the connection of the client', async (t) => {
  scripted.on('/s/close', async (socket) => socket.end(response('bye', 'Connection: close\r\n')))
  const client = await connect(t, weir.port())
  for (const _ of [1, 2, 3]) {
    client.request('GET /s/close')
    const answer = await client.readResponse()
    assert.equal(answer.text, 'bye')
    assert.notEqual(answer.header('connection'), 'close')
  }
})

test('pipelined requests are answered in their order, also when the first one is slow', async (t) => {
  const client = await connect(t, weir.port())
  const lines = Array.from({ length: 20 }, (_, i) => `GET /p${i} HTTP/1.1\r\nHost: test\r\nX-Wait: ${i === 0 ? 150 : 0}\r\n\r\n`)
  client.send(lines.join(''))
  for (let i = 0; i < 20; i++) assert.equal((JSON.parse((await client.readResponse()).text) as Echo).url, `/p${i}`)
})

test('pipelined requests with bodies do not run into each other', async (t) => {
  const client = await connect(t, weir.port())
  client.send(
    'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nfirst' +
      'POST /b HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n' +
      'GET /c HTTP/1.1\r\nHost: test\r\n\r\n' +
      'PUT /d HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nthird',
  )
  const seen: string[] = []
  for (let i = 0; i < 4; i++) {
    const { method, url, body } = JSON.parse((await client.readResponse()).text) as Echo
    seen.push(`${method} ${url} ${body}`)
  }
  assert.deepEqual(seen, ['POST /a first', 'POST /b second', 'GET /c ', 'PUT /d third'])
})

test('a request that arrives byte by byte is served', async (t) => {
  const client = await connect(t, weir.port())
  for (const byte of 'POST /slow HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc') {
    client.send(byte)
    await delay(1)
  }
  assert.equal((JSON.parse((await client.readResponse()).text) as Echo).body, 'abc')
})

test('a response that arrives byte by byte is passed on whole', async (t) => {
  scripted.on('/s/bytes', async (socket) => {
    for (const byte of response('slowly', 'X-Long: value\r\n')) {
      socket.write(byte)
      await delay(1)
    }
  })
  const answer = await ask(t, weir.port(), 'GET /s/bytes')
  assert.equal(answer.header('x-long'), 'value')
  assert.equal(answer.text, 'slowly')
})

test('an HTTP/1.0 client without keep-alive is closed after its response', async (t) => {
  const client = await connect(t, weir.port())
  client.send('GET /old HTTP/1.0\r\nHost: test\r\n\r\n')
  assert.equal((await client.readResponse()).status, 200)
  await client.expectClosed()
})

test('an HTTP/1.0 client with keep-alive is told so and may go on', async (t) => {
  scripted.on('/s/length', response('known'))
  const client = await connect(t, weir.port())
  for (const _ of [1, 2]) {
    client.send('GET /s/length HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n')
    const answer = await client.readResponse()
    assert.equal(answer.text, 'known')
    assert.equal(answer.header('connection')?.toLowerCase(), 'keep-alive')
  }
})

test('bytes after a response make its pooled connection unusable for the next request', async (t) => {
  const stray = response('stray', 'X-Stray: yes\r\n')
  scripted.on('/s/two', response('one') + stray)
  scripted.on('/s/plain', response('plain'))
  for (let i = 0; i < 10; i++) {
    assert.equal((await ask(t, weir.port(), 'GET /s/two')).text, 'one')
    assert.equal((await ask(t, weir.port(), 'GET /s/plain')).text, 'plain')
  }
})
