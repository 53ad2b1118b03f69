// Connections in states that only bad timing brings about: nothing is lost, nothing hangs, nothing is cut that was complete.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { rawServer, response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { deferred, until } from './lib/wait.ts'

test('pipelined requests that weir answers itself are all answered when the client closes its half behind them', async (t) => {
  const weir = await startBalancer(
    t,
    config({ servers: ['127.0.0.1:1'], listener: { routes: [{ match: {}, redirect: { to: '/new{path}', status: 308 } }] } }),
  )
  const [worker] = weir.workerPids() as [number]
  const client = await connect(t, weir.port())
  // The requests and the end behind them are found in one look.
  process.kill(worker, 'SIGSTOP')
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
  client.end()
  await delay(50)
  process.kill(worker, 'SIGCONT')
  for (const path of ['/1', '/2', '/3']) {
    const answer = await client.readResponse()
    assert.deepEqual(
      answer.headers.filter(([name]) => name === 'Location'),
      [['Location', `/new${path}`]],
    )
  }
})

test('a response that a server sends before it reads the request is passed on at once', async (t) => {
  // A route whose pattern takes a while keeps the worker busy between the connect and its completion.
  const server = await rawServer(t, async (socket) => {
    socket.write(response('too busy', '', '503 Service Unavailable'))
    await delay(5_000, undefined, { ref: false })
  })
  const routes = [
    { match: { path: '~^/slow/(a+)+$' }, upstream: 'app' },
    { match: {}, upstream: 'app' },
  ]
  const weir = await startBalancer(t, config({ servers: [server.address], listener: { routes } }))
  const [worker] = weir.workerPids() as [number]
  const first = await connect(t, weir.port())
  const second = await connect(t, weir.port())
  process.kill(worker, 'SIGSTOP')
  first.request('GET /')
  await delay(20)
  second.request(`GET /slow/${'a'.repeat(23)}!`)
  await delay(20)
  process.kill(worker, 'SIGCONT')
  assert.equal((await first.readResponse({ within: 10_000 })).status, 503)
})

test('an early response is passed on whole when its server then resets the connection on which the client still sends', async (t) => {
  const server = await scriptedServer(t)
  const rest = deferred()
  server.on('/early', async (socket) => {
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 10\r\n\r\n01234')
    await rest.promise
    socket.write('56789')
    await delay(20)
    socket.reset()
  })
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  const [worker] = weir.workerPids() as [number]
  const client = await connect(t, weir.port())
  client.request('POST /early', { 'Content-Length': '1000' }, 'x'.repeat(100))
  await until(() => client.reader.pending.includes('01234'))
  process.kill(worker, 'SIGSTOP')
  client.send('y'.repeat(100))
  await delay(20)
  rest.resolve()
  await delay(80)
  process.kill(worker, 'SIGCONT')
  const answer = await client.readResponse({ method: 'POST' })
  assert.equal(`${answer.status} ${answer.text}`, '413 0123456789')
})

test('a response whose end is the end of the connection is not ended by the deadline of a shutdown as if it were complete', async (t) => {
  const server = await scriptedServer(t)
  server.on('/endless', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  const weir = await startBalancer(t, config({ servers: [server.address], top: { shutdown: { grace: '300ms' } } }))
  const client = await connect(t, weir.port())
  client.send('GET /endless HTTP/1.0\r\n\r\n')
  await until(() => client.reader.pending.includes('hello'))
  const stopped = weir.stop()
  await assert.rejects(client.readResponse({ within: 3_000 }), /reset/)
  await stopped
})
