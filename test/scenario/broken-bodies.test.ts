// A server that dies in the middle of a body: the client sees a broken transfer, never a complete one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { Broken, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { type ServerKind, startServerProcess } from './lib/server-process.ts'
import { until } from './lib/wait.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

const kinds: ServerKind[] = ['half-length', 'half-chunked']
for (const kind of kinds) {
  test(`a killed process leaves a broken transfer (${kind})`, async (t) => {
    const victim = await startServerProcess(t, kind)
    const own = await startBalancer(t, config({ servers: [victim.address] }))
    const client = await connect(t, own.port())
    client.request('GET /')
    await until(() => client.reader.pending.includes('the beginning'), { what: 'the beginning of the body' })
    await victim.kill()
    await assert.rejects(client.readResponse(), Broken)
    assert.match(own.log(), /\S/, 'the log says so')
  })
}

const ways: { name: string; head: string; first: string; end: 'fin' | 'rst' }[] = [
  { name: 'a body with a length, cut by FIN', head: 'Content-Length: 100\r\n', first: 'half', end: 'fin' },
  { name: 'a body with a length, cut by RST', head: 'Content-Length: 100\r\n', first: 'half', end: 'rst' },
  { name: 'a chunked body, cut inside a chunk', head: 'Transfer-Encoding: chunked\r\n', first: '10\r\nhalf', end: 'fin' },
  { name: 'a chunked body, cut between chunks', head: 'Transfer-Encoding: chunked\r\n', first: '4\r\nhalf\r\n', end: 'fin' },
  {
    name: 'a chunked body, cut before its last empty line',
    head: 'Transfer-Encoding: chunked\r\n',
    first: '4\r\nhalf\r\n0\r\n',
    end: 'fin',
  },
  { name: 'a chunked body, cut by RST', head: 'Transfer-Encoding: chunked\r\n', first: '4\r\nhalf\r\n', end: 'rst' },
  { name: 'a body that ends with the connection, cut by RST', head: '', first: 'half', end: 'rst' },
]

for (const { name, head, first, end } of ways) {
  test(`${name}, is delivered as far as it came and then broken`, async (t) => {
    server.on('/cut', async (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${first}`)
      await socket.readUntil('now')
      if (end === 'rst') socket.reset()
      else socket.end()
      await socket.closed().catch(() => undefined)
    })
    const client = await connect(t, weir.port())
    // The rest of the request is the signal for the server to die.
    client.request('POST /cut', { 'Content-Length': '3' })
    await until(() => client.reader.pending.includes('half'), { what: 'the beginning of the body' })
    client.send('now')
    await assert.rejects(client.readResponse(), (error: unknown) => error instanceof Broken || /chunk|reset/.test(String(error)))
  })
}

test('an HTTP/1.0 client of a broken chunked body does not see a proper end', async (t) => {
  server.on('/old', async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
    await delay(50)
    socket.reset()
  })
  const client = await connect(t, weir.port())
  client.send('GET /old HTTP/1.0\r\nHost: test\r\n\r\n')
  await assert.rejects(client.readResponse(), /reset/)
})

test('the balancer serves on after broken bodies', async (t) => {
  const client = await connect(t, weir.port())
  client.request('GET /fine')
  assert.equal((await client.readResponse()).text, 'GET /fine HTTP/1.1')
})
