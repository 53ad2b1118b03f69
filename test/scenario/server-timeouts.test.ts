// Servers that stall: what each deadline of an upstream does.
import assert from 'node:assert/strict'
import { connect as open } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { ask, Broken, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { startServer } from './lib/server.ts'
import { startServerProcess } from './lib/server-process.ts'
import { timed } from './lib/wait.ts'

const silent = await scriptedServer(file)
const good = await startServer(file, (_req, res) => void res.end('good'))
const full = await startServerProcess(file, 'full')
const timeouts = { connect: '400ms', firstByte: '500ms', idle: '500ms' }
const upstreams = {
  alone: { servers: [silent.address], timeouts },
  pair: { balance: 'round-robin', servers: [silent.address, { address: good.address, backup: true }], timeouts },
  full: { servers: [full.address], timeouts },
  halfFull: { servers: [full.address, { address: good.address, backup: true }], timeouts },
}
const routes = Object.keys(upstreams).map((name) => ({ match: { path: `/${name}/` }, upstream: name }))
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

silent.on('/alone/never', async (socket) => socket.closed(20_000).then(() => void socket.socket.destroy()))
silent.on('/pair/never', async (socket) => socket.closed(20_000).then(() => void socket.socket.destroy()))

function assertAbout(ms: number, expected: number): void {
  assert.ok(ms > expected * 0.8 && ms < expected + 1_500, `${Math.round(ms)} ms instead of about ${expected} ms`)
}

// A frozen process accepts nothing; once its short queue is full, the kernel drops what else wants to connect.
async function fillQueue(): Promise<void> {
  full.freeze()
  const sockets = Array.from({ length: 6 }, () => open(full.port, '127.0.0.1').on('error', () => undefined))
  file.after(() => sockets.forEach((socket) => void socket.destroy()))
  await delay(200)
}

test('a server that does not answer in time is a 504', async (t) => {
  const { value, ms } = await timed(ask(t, weir.port(), 'POST /alone/never', {}, 'data'))
  assert.equal(value.status, 504)
  assertAbout(ms, 500)
})

test('the connection to a server that was too slow is closed', async (t) => {
  await ask(t, weir.port(), 'GET /alone/never')
  assert.equal((await ask(t, weir.port(), 'GET /alone/fine')).text, 'GET /alone/fine HTTP/1.1')
})

test('a GET that is not answered in time goes to another server', async (t) => {
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /pair/never'))
  assert.equal(value.text, 'good')
  assertAbout(ms, 500)
})

test('a POST that is not answered in time goes to no other server', async (t) => {
  const before = good.seen.length
  assert.equal((await ask(t, weir.port(), 'POST /pair/never', {}, 'data')).status, 504)
  assert.equal(good.seen.length, before)
})

test('a response that stalls in its body is cut after the idle time, never completed', async (t) => {
  silent.on('/alone/stalls', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    await socket.closed(20_000).finally(() => void socket.socket.destroy())
  })
  const client = await connect(t, weir.port())
  client.request('GET /alone/stalls')
  const { ms } = await timed(assert.rejects(client.readResponse(), Broken))
  assertAbout(ms, 500)
})

test('a response that goes on slowly is not cut', async (t) => {
  silent.on('/alone/slow', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n')
    for (let i = 0; i < 8; i++) {
      await delay(150)
      socket.write('x')
    }
  })
  assert.equal((await ask(t, weir.port(), 'GET /alone/slow')).text, 'xxxxxxxx')
})

test('the time for the first byte starts when the request is whole', async (t) => {
  silent.on('/alone/upload', async (socket) => {
    await socket.readBytes(8)
    socket.write(response('got it'))
  })
  const client = await connect(t, weir.port())
  client.request('POST /alone/upload', { 'Content-Length': '8' })
  for (let i = 0; i < 8; i++) {
    await delay(120)
    client.send('x')
  }
  assert.equal((await client.readResponse()).text, 'got it')
})

test('a server that cannot be connected to in time is a 504', async (t) => {
  await fillQueue()
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /full/x'))
  assert.equal(value.status, 504)
  assert.ok(ms > 300 && ms < 3_000, `after ${ms} ms`)
})

test('a request whose connection is not made in time goes to another server, whatever its method', async (t) => {
  for (const method of ['GET', 'POST']) {
    const { value, ms } = await timed(ask(t, weir.port(), `${method} /halfFull/x`, {}, 'data'))
    assert.equal(value.text, 'good')
    assertAbout(ms, 400)
  }
})
