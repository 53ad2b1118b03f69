// Streams arrive as they are written: nothing waits for a full buffer.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const streams: ServerResponse[] = []
const server = await startServer(file, (_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  res.flushHeaders()
  streams.push(res)
})
const weir = await startBalancer(file, config({ servers: [server.address] }))

test('the head of a stream arrives before its first event, and each event before the next is written', async (t) => {
  const client = await connect(t, weir.port())
  client.request('GET /events')
  assert.equal((await client.readHead()).status, 200)
  const stream = await until(() => streams.at(-1))
  for (let i = 0; i < 20; i++) {
    stream.write(`id: ${i}\ndata: event ${i}\n\n`)
    assert.match(await client.reader.takeUntil('\n\n', `event ${i}`, 2_000), new RegExp(`data: event ${i}\n`))
  }
})

test('a stream that ends is complete at the client', async (t) => {
  const client = await connect(t, weir.port())
  const before = streams.length
  client.request('GET /events')
  const stream = await until(() => streams[before])
  stream.end('data: only\n\n')
  const answer = await client.readResponse()
  assert.equal(answer.text, 'data: only\n\n')
})

test('two hundred streams at once each get their own events', async (t) => {
  const before = streams.length
  const clients = await Promise.all(Array.from({ length: 200 }, () => connect(t, weir.port())))
  for (const client of clients) client.request('GET /events')
  await until(() => streams.length === before + clients.length)
  for (const stream of streams.slice(before)) stream.write('data: now\n\n')
  await Promise.all(clients.map((client) => client.reader.takeUntil('data: now\n\n')))
})

test('a client that leaves ends its stream at the server', async (t) => {
  const before = streams.length
  const client = await connect(t, weir.port())
  client.request('GET /events')
  await client.readHead()
  const stream = await until(() => streams[before])
  client.reset()
  await until(() => stream.destroyed, { what: 'the server noticed' })
})
