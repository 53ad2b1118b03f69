// Chunked bodies and trailers in both directions (RFC 9112 7.1).
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, Broken, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { type Echo, startServer } from './lib/server.ts'
import { deferred, until } from './lib/wait.ts'

const real = await startServer(file)
const server = await scriptedServer(file)
const upstreams = { app: { servers: [real.address] }, scripted: { servers: [server.address] } }
const routes = [
  { match: { path: '/s/' }, upstream: 'scripted' },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('a chunked request reaches the server chunked and with its trailers', async (t) => {
  const client = await connect(t, weir.port())
  client.request('POST /up', { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' }, '3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n')
  const seen = JSON.parse((await client.readResponse()).text) as Echo
  assert.equal(seen.headers['transfer-encoding'], 'chunked')
  assert.equal(seen.headers['content-length'], undefined)
  assert.equal(seen.body, 'abcdefg')
  assert.deepEqual(seen.trailers, { 'x-sum': '7' })
})

test('a chunked response reaches the client with its trailers', async (t) => {
  server.on('/s/trailers', `${CHUNKED}Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n`)
  const answer = await ask(t, weir.port(), 'GET /s/trailers', { TE: 'trailers', Connection: 'TE' })
  assert.equal(answer.framing, 'chunked')
  assert.equal(answer.text, 'abc')
  assert.deepEqual(answer.trailers, [['X-Sum', '3']])
})

test('a trailer that would frame or route the message is dropped', async (t) => {
  server.on('/s/evil', `${CHUNKED}\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: evil\r\nX-Good: 1\r\n\r\n`)
  const answer = await ask(t, weir.port(), 'GET /s/evil', { TE: 'trailers', Connection: 'TE' })
  assert.deepEqual(
    answer.trailers.map(([name]) => name),
    ['X-Good'],
  )
})

test('a chunk extension is not passed on', async (t) => {
  server.on('/s/extension', `${CHUNKED}\r\n3;secret="a;b"\r\nabc\r\n0;last\r\n\r\n`)
  // The reader of this client refuses extensions.
  assert.equal((await ask(t, weir.port(), 'GET /s/extension')).text, 'abc')
})

test('an empty chunked response is complete', async (t) => {
  server.on('/s/empty', `${CHUNKED}\r\n0\r\n\r\n`)
  const client = await connect(t, weir.port())
  for (const _ of [1, 2]) {
    client.request('GET /s/empty')
    assert.equal((await client.readResponse()).body.length, 0)
  }
})

test('bodies of many sizes come through unchanged in both directions', async (t) => {
  for (const size of [1, 4095, 4096, 16_383, 16_384, 16_385, 65_536, 1_000_003]) {
    const bytes = randomBytes(size)
    server.on('/s/size', async (socket) => {
      let body = Buffer.alloc(0)
      for (;;) {
        const part = Number.parseInt(await socket.readUntil('\r\n'), 16)
        body = Buffer.concat([body, await socket.readBytes(part)])
        await socket.readBytes(2)
        if (part === 0) break
      }
      assert.equal(sha(body), sha(bytes))
      socket.write(`${CHUNKED}\r\n${size.toString(16)}\r\n`)
      socket.write(body)
      socket.write('\r\n0\r\n\r\n')
    })
    const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')])
    const answer = await ask(t, weir.port(), 'POST /s/size', { 'Transfer-Encoding': 'chunked' }, chunk)
    assert.equal(sha(answer.body), sha(bytes), `${size} bytes`)
  }
  assert.deepEqual(server.failures, [])
})

test('a thousand tiny chunks are one body', async (t) => {
  server.on('/s/tiny', `${CHUNKED}\r\n${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`)
  assert.equal((await ask(t, weir.port(), 'GET /s/tiny')).text, 'x'.repeat(1000))
})

test('a chunked response with a wrong chunk size is never completed', async (t) => {
  const headSeen = deferred()
  server.on('/s/wrong', async (socket) => {
    socket.write(`${CHUNKED}\r\n3\r\nabc\r\n`)
    await headSeen.promise
    socket.write('zz\r\nabc\r\n0\r\n\r\n')
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/wrong')
  await until(() => client.reader.pending.includes('abc'))
  headSeen.resolve()
  await assert.rejects(client.readResponse(), Broken)
})
