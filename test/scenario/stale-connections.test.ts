// A pooled connection may end at any moment. Clients do not see it, and no request is carried out twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect, fetchText } from './lib/client.ts'
import { config } from './lib/config.ts'
import { response, type ServerSocket } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const LANES = 24
const ROUNDS = 4

for (const announced of [true, false]) {
  const how = announced ? 'and says so' : 'without saying so'
  test(`a server that closes idle connections after a second, ${how}, costs sparse traffic no error`, { concurrency: true }, async (t) => {
    const server = await startServer(
      t,
      (_req, res) => {
        // Node announces its limit unless the application writes Connection itself.
        if (!announced) res.setHeader('connection', 'keep-alive')
        res.end('fine')
      },
      { keepAliveTimeout: 1_000 },
    )
    const weir = await startBalancer(t, config({ servers: [server.address] }))
    let posts = 0
    // Each lane has its own rhythm around the server's limit, so that some requests meet a connection that is just ending.
    const lane = async (i: number) => {
      for (let round = 0; round < ROUNDS; round++) {
        const method = (i + round) % 2 ? 'POST' : 'GET'
        if (method === 'POST') posts++
        const answer = await fetchText(weir.url('/'), { method, ...(method === 'POST' ? { body: 'data' } : {}) })
        assert.equal(`${answer.status} ${answer.text}`, '200 fine')
        await delay(985 + i * 2)
      }
    }
    await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)))
    assert.equal(server.seen.filter(({ method }) => method === 'POST').length, posts)
  })
}

for (const method of ['GET', 'POST']) {
  test(`a ${method} that meets a pooled connection which has just ended is sent once more`, async (t) => {
    const idle = new Set<ServerSocket>()
    const server = await scriptedServer(t)
    server.on('/', async (socket, head) => {
      if (head.startsWith('POST')) await socket.readBytes(4)
      socket.write(response('fine'))
      idle.add(socket)
    })
    const weir = await startBalancer(t, config({ servers: [server.address] }))
    const [worker] = weir.workerPids() as [number]
    for (let round = 0; round < 10; round++) {
      await ask(t, weir.port(), 'GET /warm')
      const client = await connect(t, weir.port())
      // The worker sleeps while both happen, so it finds the request and the end of its pooled connection in one look.
      process.kill(worker, 'SIGSTOP')
      const send = () => client.request(`${method} /`, method === 'POST' ? { 'Content-Length': '4' } : {}, method === 'POST' ? 'data' : '')
      if (round % 2) send()
      await closeAll(idle)
      if (round % 2 === 0) send()
      process.kill(worker, 'SIGCONT')
      assert.equal((await client.readResponse()).text, 'fine', `round ${round}`)
      client.socket.destroy()
    }
    assert.equal(server.headsOf('/').filter((head) => head.startsWith(method) && !head.includes('/warm')).length, 10)
  })
}

test('a POST is not sent twice when a pooled connection is reset after the server has read it', async (t) => {
  const server = await scriptedServer(t)
  server.on('/warm', response('warm'))
  server.on('/order', async (socket) => {
    await socket.readBytes(4)
    socket.reset()
  })
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  await ask(t, weir.port(), 'GET /warm')
  const before = server.connections
  assert.equal((await ask(t, weir.port(), 'POST /order', {}, 'data')).status, 502)
  assert.equal(server.headsOf('/order').length, 1)
  assert.equal(server.connections, before)
})

test('a GET is sent once more when a pooled connection is reset after the server has read it', async (t) => {
  const server = await scriptedServer(t)
  server.on('/warm', response('warm'))
  let asked = 0
  server.on('/read', async (socket) => (++asked === 1 ? socket.reset() : socket.write(response('second try'))))
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  await ask(t, weir.port(), 'GET /warm')
  assert.equal((await ask(t, weir.port(), 'GET /read')).text, 'second try')
  assert.equal(asked, 2)
})

async function closeAll(idle: Set<ServerSocket>): Promise<void> {
  for (const { socket } of idle) socket.destroy()
  await until(() => [...idle].every(({ socket }) => socket.closed))
  idle.clear()
}
