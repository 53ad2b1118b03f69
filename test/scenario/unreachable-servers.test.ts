// Servers that refuse or reset: another one takes over where that is harmless, else the client is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { rawServer, response } from './lib/raw-server.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

// Nobody listens on these.
const REFUSING = '127.0.0.1:1'
const ALSO_REFUSING = '127.0.0.1:2'

const good = await startServer(file, (_req, res) => void res.end('good'))
const cutting = await rawServer(file, async (socket) => {
  const head = await socket.readHead()
  if (head.startsWith('POST')) await socket.readBytes(4)
  socket.reset()
})
const slamming = await rawServer(file, async (socket) => socket.reset())
const keepAlive = { idle: 0 }
const upstreams = {
  one: { balance: 'round-robin', servers: [REFUSING, good.address] },
  two: { balance: 'round-robin', servers: [REFUSING, ALSO_REFUSING, good.address] },
  none: { servers: [REFUSING, ALSO_REFUSING] },
  cutting: { balance: 'round-robin', servers: [cutting.address, good.address], keepAlive },
  onlyCutting: { servers: [cutting.address] },
  slamming: { balance: 'round-robin', servers: [slamming.address, good.address], keepAlive },
  off: { servers: [cutting.address, { address: good.address, backup: true }], retry: { attempts: 0 } },
}
const routes = Object.keys(upstreams).map((name) => ({ match: { path: `/${name}/` }, upstream: name }))
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

for (const method of ['GET', 'POST']) {
  test(`a ${method} whose server refuses the connection goes to another one`, async (t) => {
    for (let i = 0; i < 6; i++) {
      const answer = await ask(t, weir.port(), `${method} /one/`, {}, method === 'POST' ? 'data' : undefined)
      assert.equal(answer.text, 'good')
    }
  })
}

test('two attempts after the first reach the third server', async (t) => {
  for (let i = 0; i < 6; i++) assert.equal((await ask(t, weir.port(), 'POST /two/', {}, 'data')).text, 'good')
})

test('when every server refuses, the answer is 503 with Retry-After and the client connection stays', async (t) => {
  const client = await connect(t, weir.port())
  for (const _ of [1, 2]) {
    client.request('GET /none/')
    const answer = await client.readResponse()
    assert.equal(answer.status, 503)
    assert.match(answer.header('retry-after') ?? '', /^\d+$/)
  }
})

test('a request without a route is a 404', async (t) => {
  assert.equal((await ask(t, weir.port(), 'GET /nowhere')).status, 404)
})

test('a GET whose connection is reset before an answer goes to another server', async (t) => {
  for (let i = 0; i < 6; i++) assert.equal((await ask(t, weir.port(), 'GET /cutting/')).text, 'good')
})

test('a POST that a server has read is sent to no other server', async (t) => {
  const before = { good: good.seen.length, cutting: cutting.heads.length }
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) statuses.push((await ask(t, weir.port(), 'POST /cutting/', {}, 'data')).status)
  const seen = good.seen.length - before.good + (cutting.heads.length - before.cutting)
  assert.equal(seen, 6, 'each was seen exactly once')
  assert.deepEqual([...new Set(statuses)].sort(), [200, 502])
})

test('a server that accepts and resets at once costs a GET nothing', async (t) => {
  for (let i = 0; i < 6; i++) assert.equal((await ask(t, weir.port(), 'GET /slamming/')).text, 'good')
})

test('a reset without another server is a 502', async (t) => {
  assert.equal((await ask(t, weir.port(), 'POST /onlyCutting/', {}, 'data')).status, 502)
})

test('retries that are turned off are not made', async (t) => {
  const before = good.seen.length
  assert.equal((await ask(t, weir.port(), 'GET /off/')).status, 502)
  assert.equal(good.seen.length, before)
})

test('a body is replayed to the next server unchanged', async (t) => {
  const echoing = await startServer(t)
  const own = await startBalancer(t, config({ servers: [REFUSING, echoing.address], upstream: { balance: 'round-robin' } }))
  for (const size of [1, 1_000, 60_000, 1_000_000]) {
    const body = 'weir '.repeat(size / 5 + 1).slice(0, size)
    for (let i = 0; i < 2; i++) {
      const answer = await ask(t, own.port(), 'PUT /one/', {}, body)
      assert.equal(JSON.parse(answer.text).body, body, `${size} bytes`)
    }
  }
})

test('a server at its limit of connections is a 503, and is used again when it is free', async (t) => {
  let release = () => undefined as unknown
  const busy = await rawServer(t, async (socket) => {
    for (;;) {
      const head = await socket.readHead(20_000)
      if (head.includes('/slow')) release = () => socket.write(response('slow'))
      else socket.write(response('quick'))
    }
  })
  const own = await startBalancer(t, config({ servers: [{ address: busy.address, maxConnections: 1 }] }))
  const slow = await connect(t, own.port())
  slow.request('GET /slow')
  await until(() => busy.heads.length === 1)
  assert.equal((await ask(t, own.port(), 'GET /quick')).status, 503)
  release()
  assert.equal((await slow.readResponse()).text, 'slow')
  assert.equal((await ask(t, own.port(), 'GET /quick')).text, 'quick')
})
