// Socket.IO through the balancer: long polling, the upgrade to a WebSocket, and WebSocket alone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Server } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { inTime, type Scope, until } from './lib/wait.ts'

// Socket.IO attaches to the HTTP server and takes its own path away from the handler.
const real = await startServer(
  file,
  (req, res) => {
    if (!req.url?.startsWith('/socket.io/')) res.end('app')
  },
  { readBody: false },
)
const sockets = new Server(real.http)
sockets.on('connection', (socket) => {
  socket.on('echo', (value: unknown, answer: (value: unknown) => void) => answer(value))
  socket.on('shout', (text: string) => sockets.emit('heard', text))
})
file.after(() => void sockets.close())
const weir = await startBalancer(file, config({ servers: [real.address] }))

async function open(scope: Scope, transports: string[]): Promise<Socket> {
  const socket = io(weir.url(), { transports, forceNew: true, reconnection: false })
  scope.after(() => void socket.disconnect())
  await inTime(once(socket as never, 'connect'), { what: 'a Socket.IO connection' })
  return socket
}

for (const transports of [['polling'], ['websocket']]) {
  test(`Socket.IO works over ${transports[0]}`, async (t) => {
    const socket = await open(t, transports)
    const value = { text: 'hello', list: [1, 2, 3], long: 'x'.repeat(50_000) }
    assert.deepEqual(await inTime(socket.emitWithAck('echo', value)), value)
    assert.equal(socket.io.engine.transport.name, transports[0])
  })
}

test('Socket.IO moves from polling to a WebSocket', async (t) => {
  const socket = await open(t, ['polling', 'websocket'])
  await until(() => socket.io.engine.transport.name === 'websocket', { what: 'the upgrade' })
  assert.equal(await inTime(socket.emitWithAck('echo', 'after')), 'after')
})

test('a broadcast reaches every client', async (t) => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, i) => open(t, [i % 2 ? 'polling' : 'websocket'])))
  const heard = all.map((socket) => inTime(once(socket as never, 'heard')))
  all[0]?.emit('shout', 'everybody')
  for (const [text] of await Promise.all(heard)) assert.equal(text, 'everybody')
})
