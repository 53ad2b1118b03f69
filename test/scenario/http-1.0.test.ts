// HTTP/1.0 on either side: no chunks, no 1xx, and bodies that end with the connection.
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

test('a body that ends with the connection reaches an HTTP/1.1 client in chunks, and its connection stays', async (t) => {
  server.on('/until-close', async (socket) => socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end'))
  const client = await connect(t, weir.port())
  for (const _ of [1, 2]) {
    client.request('GET /until-close')
    const answer = await client.readResponse()
    assert.equal(answer.framing, 'chunked')
    assert.equal(answer.text, 'to the end')
  }
})

test('a body that ends with the connection reaches an HTTP/1.0 client the same way', async (t) => {
  server.on('/until-close', async (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nto the end'))
  const client = await connect(t, weir.port())
  client.send('GET /until-close HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n')
  const answer = await client.readResponse()
  assert.equal(answer.framing, 'close')
  assert.equal(answer.text, 'to the end')
})

test('chunks are undone for an HTTP/1.0 client', async (t) => {
  server.on('/chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-After: no\r\n\r\n')
  const client = await connect(t, weir.port())
  client.send('GET /chunks HTTP/1.0\r\nHost: test\r\n\r\n')
  const answer = await client.readResponse()
  assert.equal(answer.header('transfer-encoding'), undefined)
  assert.equal(answer.framing, 'close')
  assert.equal(answer.text, 'hello world')
})

test('an HTTP/1.0 client gets no 1xx response', async (t) => {
  server.on('/hints', `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${response('final')}`)
  const client = await connect(t, weir.port())
  client.send('GET /hints HTTP/1.0\r\nHost: test\r\n\r\n')
  const answer = await client.readResponse()
  assert.deepEqual(answer.interim, [])
  assert.equal(answer.text, 'final')
})

test('the request of an HTTP/1.0 client goes to the server as HTTP/1.1', async (t) => {
  const client = await connect(t, weir.port())
  client.send('GET /version HTTP/1.0\r\nHost: test\r\n\r\n')
  assert.equal((await client.readResponse()).text, 'GET /version HTTP/1.1')
})

test('a connection to an HTTP/1.0 server without keep-alive is not used again', async (t) => {
  server.on('/once', 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nonce')
  assert.equal((await ask(t, weir.port(), 'GET /once')).text, 'once')
  const before = server.connections
  assert.equal((await ask(t, weir.port(), 'GET /once')).text, 'once')
  assert.equal(server.connections, before + 1)
})
