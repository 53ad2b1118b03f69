// Responses that never have a body, whatever their header fields say (RFC 9112 6.3).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

const cases = [
  {
    name: 'HEAD with a length',
    line: 'HEAD /head-length',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
    status: 200,
    length: '1234',
  },
  { name: 'HEAD with chunked', line: 'HEAD /head-chunked', bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', status: 200 },
  { name: 'HEAD without framing', line: 'HEAD /head-plain', bytes: 'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n', status: 200 },
  { name: '204', line: 'GET /204', bytes: 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n', status: 204 },
  {
    name: '304 with a length',
    line: 'GET /304-length',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "x"\r\n\r\n',
    status: 304,
  },
  { name: '304 without framing', line: 'GET /304', bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', status: 304 },
  { name: 'a length of 0', line: 'GET /zero', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', status: 200, length: '0' },
]

for (const { name, line, bytes, status, length } of cases) {
  test(`a response to ${name} ends with its head on both sides`, async (t) => {
    const [method = '', path = ''] = line.split(' ')
    server.on(path, bytes)
    server.on('/next', response('next'))
    const client = await connect(t, weir.port())
    client.request(line)
    const answer = await client.readResponse({ method })
    assert.equal(answer.status, status)
    assert.equal(answer.body.length, 0)
    if (length !== undefined) assert.equal(answer.header('content-length'), length)
    const before = server.connections
    client.request('GET /next')
    assert.equal((await client.readResponse()).text, 'next')
    assert.equal(server.connections, before, 'the connection to the server was used again')
  })
}

test('a request method that the balancer does not know is passed on', async (t) => {
  const client = await connect(t, weir.port())
  client.request('PURGE /cache')
  assert.equal((await client.readResponse()).text, 'PURGE /cache HTTP/1.1')
})

test('a reason phrase and a status outside the usual ones are passed on', async (t) => {
  server.on('/teapot', response('short', '', '418 I am a teapot'))
  const client = await connect(t, weir.port())
  client.request('GET /teapot')
  const answer = await client.readResponse()
  assert.equal(`${answer.status} ${answer.reason}`, '418 I am a teapot')
})
