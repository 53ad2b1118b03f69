// 1xx responses and Expect: 100-continue (RFC 9110 10.1.1 and 15.2).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect, headerOf } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer, valueIn } from './lib/scripted-server.ts'
import { deferred, inTime } from './lib/wait.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

test('early hints reach the client before the final response', async (t) => {
  const go = deferred()
  server.on('/hints', async (socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n')
    await go.promise
    socket.write(response('final'))
  })
  const client = await connect(t, weir.port())
  client.request('GET /hints')
  const hints = await client.readHead()
  assert.equal(hints.status, 103)
  assert.equal(headerOf(hints, 'link'), '</a.css>; rel=preload')
  go.resolve()
  assert.equal((await client.readResponse()).text, 'final')
})

test('several interim responses are passed on in their order', async (t) => {
  server.on('/many', `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <b>\r\n\r\n${response('done')}`)
  const client = await connect(t, weir.port())
  client.request('GET /many')
  const answer = await client.readResponse()
  assert.deepEqual(
    answer.interim.map((head) => head.status),
    [102, 103],
  )
  assert.equal(answer.text, 'done')
})

test('the client is told to continue when the server says so, and its body follows', async (t) => {
  server.on('/continue', async (socket, head) => {
    assert.equal(valueIn(head, 'expect'), '100-continue')
    assert.equal(socket.reader.pending.length, 0)
    socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    const body = await socket.readBytes(4)
    socket.write(response(`got ${body}`))
  })
  const client = await connect(t, weir.port())
  client.request('POST /continue', { 'Content-Length': '4', Expect: '100-continue' })
  assert.equal((await client.readHead()).status, 100)
  client.send('data')
  assert.equal((await client.readResponse()).text, 'got data')
})

test('a client that does not wait for 100 is served all the same', async (t) => {
  server.on('/eager', async (socket) => {
    const body = await socket.readBytes(4)
    socket.write(`HTTP/1.1 100 Continue\r\n\r\n${response(`got ${body}`)}`)
  })
  const client = await connect(t, weir.port())
  client.request('POST /eager', { 'Content-Length': '4', Expect: '100-continue' }, 'data')
  assert.equal((await client.readResponse()).text, 'got data')
})

test('a final answer instead of 100 reaches the client at once, without a body having been sent', async (t) => {
  const seen = deferred<number>()
  server.on('/refused', async (socket) => {
    socket.end(response('no', 'Connection: close\r\n', '403 Forbidden'))
    seen.resolve(socket.reader.pending.length)
  })
  const client = await connect(t, weir.port())
  client.request('POST /refused', { 'Content-Length': '4', Expect: '100-continue' })
  const answer = await client.readResponse()
  assert.equal(answer.status, 403)
  assert.deepEqual(answer.interim, [])
  assert.equal(await inTime(seen.promise), 0)
})

test('an expectation that nobody knows is refused with 417', async (t) => {
  const client = await connect(t, weir.port())
  client.request('POST /', { 'Content-Length': '4', Expect: 'a-miracle' }, 'data')
  assert.equal((await client.readResponse()).status, 417)
})
