// Upgraded connections: real WebSocket programs on both sides, and the bytes around the handshake.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { abi } from '../../src/native/abi.ts'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer, valueIn } from './lib/scripted-server.ts'
import { startServer } from './lib/server.ts'
import { deferred, inTime, type Scope, timed, until } from './lib/wait.ts'

const real = await startServer(file)
const sockets = new WebSocketServer({ server: real.http })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
const server = await scriptedServer(file)
const upstreams = {
  app: { servers: [real.address] },
  scripted: { servers: [server.address] },
  impatient: { servers: [real.address], timeouts: { tunnel: '300ms' } },
}
const routes = [
  { match: { path: '/s/' }, upstream: 'scripted' },
  { match: { path: '/impatient' }, upstream: 'impatient' },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

const HANDSHAKE = { Connection: 'Upgrade', Upgrade: 'echo' }
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'

async function openWebSocket(scope: Scope, path: string): Promise<WebSocket> {
  const socket = new WebSocket(weir.url(path).replace('http', 'ws'))
  scope.after(() => socket.terminate())
  await inTime(once(socket, 'open'), { what: 'the WebSocket handshake' })
  return socket
}

async function echoed(socket: WebSocket, message: string | Buffer): Promise<Buffer> {
  const answer = once(socket, 'message')
  socket.send(message)
  const [data] = (await inTime(answer, { what: 'an echo' })) as [Buffer]
  return data
}

test('a WebSocket echoes texts and large binary messages', async (t) => {
  const socket = await openWebSocket(t, '/chat')
  for (const text of ['a', 'hello', 'x'.repeat(70_000)]) assert.equal((await echoed(socket, text)).toString(), text)
  const bytes = Buffer.alloc(3_000_000, 7)
  assert.ok((await echoed(socket, bytes)).equals(bytes))
})

test('pings and the closing handshake pass through', async (t) => {
  const socket = await openWebSocket(t, '/chat')
  const pong = once(socket, 'pong')
  socket.ping('beat')
  assert.equal(String((await inTime(pong))[0]), 'beat')
  const closed = once(socket, 'close')
  socket.close(4001, 'enough')
  const [code, reason] = await inTime(closed)
  assert.equal(`${code} ${reason}`, '4001 enough')
})

test('a hundred WebSockets at once do not mix their messages', async (t) => {
  const open = await Promise.all(Array.from({ length: 100 }, () => openWebSocket(t, '/chat')))
  const answers = await Promise.all(open.map((socket, i) => echoed(socket, `message ${i}`)))
  assert.deepEqual(
    answers.map(String),
    open.map((_, i) => `message ${i}`),
  )
})

test('the handshake keeps Upgrade and Connection in both directions', async (t) => {
  server.on('/s/switch', async (socket) => {
    socket.write(SWITCH)
    socket.write(`you said ${await socket.readUntil('\n')}`)
    await socket.closed()
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/switch', HANDSHAKE)
  const head = await client.readHead()
  assert.equal(head.status, 101)
  assert.ok(head.headers.some(([name, value]) => name.toLowerCase() === 'upgrade' && value === 'echo'))
  const seen = server.headsOf('/s/switch')[0] as string
  assert.equal(valueIn(seen, 'upgrade'), 'echo')
  assert.match(valueIn(seen, 'connection') ?? '', /upgrade/i)
  client.send('hi\n')
  assert.equal(await client.reader.takeUntil('\n'), 'you said hi\n')
})

test('bytes that come together with the handshake reach the other side', async (t) => {
  server.on('/s/early', async (socket) => {
    socket.write(`${SWITCH}server first\n`)
    socket.write(`echo: ${await socket.readUntil('\n')}`)
    await socket.closed()
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/early', HANDSHAKE, 'client first\n')
  await client.readHead()
  assert.equal(await client.reader.takeUntil('\n'), 'server first\n')
  assert.equal(await client.reader.takeUntil('\n'), 'echo: client first\n')
})

test('one direction of a tunnel may end before the other', async (t) => {
  server.on('/s/half', async (socket) => {
    socket.write(SWITCH)
    const all = await socket.reader.takeRest()
    socket.end(`after your end: ${all}`)
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/half', HANDSHAKE)
  await client.readHead()
  client.send('last words')
  client.end()
  assert.equal((await client.reader.takeRest()).toString(), 'after your end: last words')
})

test('a refused upgrade is an ordinary response, and the connection goes on', async (t) => {
  server.on('/s/no', response('not here', '', '426 Upgrade Required'))
  const client = await connect(t, weir.port())
  for (const _ of [1, 2]) {
    client.request('GET /s/no', HANDSHAKE)
    const answer = await client.readResponse()
    assert.equal(answer.status, 426)
    assert.equal(answer.text, 'not here')
  }
})

test('a 101 that nobody asked for is an invalid response', async (t) => {
  server.on('/s/unasked', SWITCH)
  const client = await connect(t, weir.port())
  client.request('GET /s/unasked')
  assert.equal((await client.readResponse()).status, 502)
})

test('a client that vanishes ends the tunnel at the server', async (t) => {
  const gone = deferred()
  server.on('/s/gone', async (socket) => {
    socket.write(SWITCH)
    await socket.closed()
    gone.resolve()
    socket.end()
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/gone', HANDSHAKE)
  await client.readHead()
  client.reset()
  await inTime(gone.promise, { what: 'the end of the tunnel' })
})

test('a server that vanishes ends the tunnel at the client', async (t) => {
  server.on('/s/cut', async (socket) => {
    socket.write(SWITCH)
    await socket.readUntil('\n')
    socket.reset()
  })
  const client = await connect(t, weir.port())
  client.request('GET /s/cut', HANDSHAKE)
  await client.readHead()
  client.send('now\n')
  await client.expectClosed()
})

test('a tunnel without traffic is closed after its idle time, and traffic keeps it open', async (t) => {
  const socket = await openWebSocket(t, '/impatient')
  const closed = once(socket, 'close')
  const started = performance.now()
  while (performance.now() - started < 700) await Promise.all([echoed(socket, 'still here'), new Promise((next) => setTimeout(next, 100))])
  assert.equal(socket.readyState, WebSocket.OPEN)
  const { ms } = await timed(inTime(closed, { what: 'the end of the idle tunnel' }))
  assert.ok(ms > 100 && ms < 2_000, `closed after ${ms} ms`)
})

test('closed tunnels leave no connection behind', async (t) => {
  const before = real.open
  const open = await Promise.all(Array.from({ length: 20 }, () => openWebSocket(t, '/chat')))
  for (const socket of open) socket.terminate()
  await until(() => real.open <= before, { what: 'the server has no more connections than before' })
})

test('a WebSocket is one request with one status, however it ended', async (t) => {
  const counted = await startBalancer(t, config({ servers: [real.address] }))
  const board = boardOf(counted)
  for (const end of ['close', 'terminate'] as const) {
    const socket = new WebSocket(counted.url('/chat').replace('http', 'ws'))
    await inTime(once(socket, 'open'), { what: 'the WebSocket handshake' })
    await echoed(socket, 'hello')
    socket[end]()
  }
  const status = (name: 'status1xx' | 'noStatus') => board.route(abi.board.listeners, name)
  await until(() => status('status1xx') === 2 && board.inFlight(0) === 0, { what: 'both tunnels have ended' })
  assert.equal(status('noStatus'), 0)
})
