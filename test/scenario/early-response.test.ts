// A server may answer before it has read the whole request (RFC 9112 9.6): the client must see that answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

test('an answer that comes while the body is still on its way reaches the client at once', async (t) => {
  server.on('/early', async (socket) => {
    socket.write(response('too much', '', '413 Content Too Large'))
    await socket.closed(10_000)
  })
  const client = await connect(t, weir.port())
  client.request('POST /early', { 'Content-Length': '1000000' }, 'only the beginning')
  const answer = await client.readResponse()
  assert.equal(answer.status, 413)
  assert.equal(answer.text, 'too much')
})

test('an answer of a server that closes without reading on is not lost', async (t) => {
  server.on('/closes', async (socket) => {
    socket.end(response('no more', 'Connection: close\r\n', '403 Forbidden'))
    socket.reader.pause()
  })
  for (let i = 0; i < 5; i++) {
    const client = await connect(t, weir.port())
    client.request('POST /closes', { 'Content-Length': '3000000' })
    client.send(Buffer.alloc(1_500_000, 'x'))
    const answer = await client.readResponse()
    assert.equal(answer.status, 403)
    assert.equal(answer.text, 'no more')
  }
})

test('a server that answers early and reads on gets the whole body, and the next request is served', async (t) => {
  server.on('/reads-on', async (socket) => {
    socket.write(response('fine'))
    await socket.readBytes(200_000)
  })
  server.on('/next', response('next'))
  const client = await connect(t, weir.port())
  client.request('POST /reads-on', { 'Content-Length': '200000' }, Buffer.alloc(100_000, 'x'))
  assert.equal((await client.readResponse()).text, 'fine')
  client.send(Buffer.alloc(100_000, 'x'))
  assert.equal((await ask(t, weir.port(), 'GET /next')).text, 'next')
})

test('the rest of an unread body is never taken for a request', async (t) => {
  server.on('/unread', async (socket) => {
    socket.write(response('early'))
    await socket.closed(10_000)
  })
  const client = await connect(t, weir.port())
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n'
  client.request('POST /unread', { 'Content-Length': String(smuggled.length + 10) })
  assert.equal((await client.readResponse()).text, 'early')
  client.send(smuggled)
  assert.equal((await ask(t, weir.port(), 'GET /other')).text, 'GET /other HTTP/1.1')
  assert.equal(server.headsOf('/smuggled').length, 0)
})
