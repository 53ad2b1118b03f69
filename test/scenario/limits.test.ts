// What a client may send at most, and what it is told when it sends more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { until } from './lib/wait.ts'

const server = await scriptedServer(file)
const routes = [{ match: {}, upstream: 'app' }]
const listeners = {
  web: { bind: '127.0.0.1:0', routes },
  tight: { bind: '127.0.0.1:0', routes, limits: { headerBytes: '2KiB', headers: 10, bodyBytes: '1KiB' } },
  small: { bind: '127.0.0.1:0', routes, limits: { connections: 3 } },
}
const weir = await startBalancer(file, config({ servers: [server.address], upstream: { responseHeaderBytes: '2KiB' }, top: { listeners } }))

const refusals: { name: string; status: number; line: string; headers: Record<string, string> }[] = [
  { name: 'a header that is too large', status: 431, line: 'GET /', headers: { 'X-Large': 'x'.repeat(3000) } },
  {
    name: 'too many headers',
    status: 431,
    line: 'GET /',
    headers: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`X-${i}`, 'x'])),
  },
  { name: 'a target that is too long', status: 414, line: `GET /${'x'.repeat(3000)}`, headers: {} },
  { name: 'a body that is announced too large', status: 413, line: 'POST /', headers: { 'Content-Length': '1025' } },
]

for (const { name, status, line, headers } of refusals) {
  test(`${name} is refused with ${status} and the connection closed`, async (t) => {
    const before = server.heads.length
    const client = await connect(t, weir.port('tight'))
    client.request(line, headers)
    assert.equal((await client.readResponse()).status, status)
    await client.expectClosed()
    assert.equal(server.heads.length, before, 'the server saw nothing')
  })
}

test('a header larger than one that a client may ever send is refused without waiting for its end', async (t) => {
  const client = await connect(t, weir.port())
  client.send(`GET / HTTP/1.1\r\nHost: test\r\nX-Endless: ${'x'.repeat(20_000)}`)
  assert.equal((await client.readResponse()).status, 431)
})

test('requests at the limit are served', async (t) => {
  server.on('/fits', async (socket) => {
    await socket.readBytes(1024)
    socket.write(response('fits'))
  })
  const answer = await ask(t, weir.port('tight'), 'POST /fits', { 'X-Large': 'x'.repeat(1500) }, 'x'.repeat(1024))
  assert.equal(answer.text, 'fits')
})

test('a chunked body is refused with 413 as soon as it is too large, and the server gets no end of it', async (t) => {
  let received = ''
  server.on('/chunks', async (socket) => {
    received = (await socket.reader.takeRest()).toString()
    socket.socket.destroy()
  })
  const client = await connect(t, weir.port('tight'))
  client.request('POST /chunks', { 'Transfer-Encoding': 'chunked' }, '200\r\n')
  client.send(`${'x'.repeat(512)}\r\n300\r\n${'y'.repeat(768)}\r\n0\r\n\r\n`)
  assert.equal((await client.readResponse()).status, 413)
  await client.expectClosed()
  assert.doesNotMatch(received, /0\r\n\r\n$/)
})

test('a body without a limit may be large', async (t) => {
  server.on('/large', async (socket) => {
    await socket.readBytes(2_000_000)
    socket.write(response('all'))
  })
  assert.equal((await ask(t, weir.port(), 'POST /large', {}, Buffer.alloc(2_000_000, 'x'))).text, 'all')
})

test('a response head that is too large is a 502', async (t) => {
  server.on('/head', response('x', `X-Large: ${'x'.repeat(4000)}\r\n`))
  assert.equal((await ask(t, weir.port(), 'GET /head')).status, 502)
})

test('no more clients than allowed are served at once, and the next one is when another leaves', async (t) => {
  const port = weir.port('small')
  const clients = await Promise.all([1, 2, 3].map(() => connect(t, port)))
  for (const client of clients) {
    client.request('GET /')
    assert.equal((await client.readResponse()).status, 200)
  }
  const extra = await connect(t, port)
  extra.request('GET /')
  const outcome = await Promise.race([
    extra.readResponse().then(
      ({ status }) => status,
      () => 'closed',
    ),
    delay(300, 'waiting'),
  ])
  assert.notEqual(outcome, 200)
  extra.socket.destroy()
  clients[0]?.socket.destroy()
  await until(async () => (await ask(t, port, 'GET /')).status === 200, { what: 'a free place is used' })
})
