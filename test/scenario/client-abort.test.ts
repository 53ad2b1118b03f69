// When a client goes away, the work of the server is cancelled: its connection ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { deferred, inTime } from './lib/wait.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

const ways: { name: string; leave: (client: Client) => void }[] = [
  { name: 'with RST', leave: (client) => client.reset() },
  { name: 'with FIN', leave: (client) => void client.socket.destroy() },
]

for (const { name, leave } of ways) {
  test(`a client that leaves ${name} before the response ends the request at the server`, async (t) => {
    const reached = deferred()
    const ended = deferred()
    server.on('/before', async (socket) => {
      reached.resolve()
      await socket.closed()
      ended.resolve()
      socket.socket.destroy()
    })
    const client = await connect(t, weir.port())
    client.request('GET /before')
    await inTime(reached.promise)
    leave(client)
    await inTime(ended.promise, { within: 2_000, what: 'the end of the connection at the server' })
  })

  test(`a client that leaves ${name} in the middle of the response ends the request at the server`, async (t) => {
    const ended = deferred()
    server.on('/middle', async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nfirst')
      await socket.closed()
      ended.resolve()
      socket.socket.destroy()
    })
    const client = await connect(t, weir.port())
    client.request('GET /middle')
    await client.reader.takeUntil('first')
    leave(client)
    await inTime(ended.promise, { within: 2_000, what: 'the end of the connection at the server' })
  })
}

test('a client that leaves in the middle of its body never makes a complete request', async (t) => {
  const reached = deferred()
  const got = deferred<number>()
  server.on('/upload', async (socket) => {
    reached.resolve()
    const bytes = await socket.reader.takeRest()
    got.resolve(bytes.length)
    socket.socket.destroy()
  })
  const client = await connect(t, weir.port())
  client.request('POST /upload', { 'Content-Length': '100' }, 'half')
  await inTime(reached.promise)
  client.reset()
  assert.equal(await inTime(got.promise, { within: 2_000 }), 4)
})

test('a chunked body whose client leaves is not ended with a last chunk', async (t) => {
  const reached = deferred()
  const got = deferred<string>()
  server.on('/chunks', async (socket) => {
    reached.resolve()
    got.resolve((await socket.reader.takeRest()).toString())
    socket.socket.destroy()
  })
  const client = await connect(t, weir.port())
  client.request('POST /chunks', { 'Transfer-Encoding': 'chunked' }, '4\r\nhalf\r\n')
  await inTime(reached.promise)
  client.socket.destroy()
  assert.doesNotMatch(await inTime(got.promise, { within: 2_000 }), /0\r\n\r\n$/)
})

test('many clients that leave do not disturb the others', async (t) => {
  server.on('/hang', async (socket) => socket.closed().then(() => void socket.socket.destroy()))
  const leaving = await Promise.all(Array.from({ length: 100 }, () => connect(t, weir.port())))
  for (const client of leaving) client.request('GET /hang')
  for (const [i, client] of leaving.entries()) (ways[i % 2] as (typeof ways)[0]).leave(client)
  assert.equal((await ask(t, weir.port(), 'GET /fine')).text, 'GET /fine HTTP/1.1')
})
