// Responses that break the rules are a 502, and their connection is never used again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { scriptedServer } from './lib/scripted-server.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

const OK = 'HTTP/1.1 200 OK\r\n'
const rows: [name: string, bytes: string][] = [
  ['that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['with an unknown version', 'HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['with a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['with two different lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
  ['with a length that is no number', `${OK}Content-Length: 1x\r\n\r\nx`],
  ['with a negative length', `${OK}Content-Length: -1\r\n\r\n`],
  ['with length and chunks', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['with an unknown transfer coding', `${OK}Transfer-Encoding: gzip\r\n\r\nx`],
  ['with a folded line', `${OK}X-A: 1\r\n  2\r\nContent-Length: 0\r\n\r\n`],
  ['with a space before the colon', `${OK}Content-Length : 0\r\n\r\n`],
  ['with NUL in a value', `${OK}X-A: \0\r\nContent-Length: 0\r\n\r\n`],
  ['with a bare CR in a value', `${OK}X-A: a\rb\r\nContent-Length: 0\r\n\r\n`],
  ['with a head of more than 32 KiB', `${OK}X-A: ${'x'.repeat(40_000)}\r\nContent-Length: 0\r\n\r\n`],
]

for (const [name, bytes] of rows) {
  test(`a response ${name} is a 502`, async (t) => {
    server.on('/invalid', bytes)
    const answer = await ask(t, weir.port(), 'POST /invalid')
    assert.equal(answer.status, 502)
    const before = server.connections
    assert.equal((await ask(t, weir.port(), 'GET /next')).text, 'GET /next HTTP/1.1')
    assert.equal(server.connections, before + 1, 'a new connection was opened')
  })
}

test('a head that is cut in the middle is a 502', async (t) => {
  server.on('/cut', async (socket) => socket.end(`${OK}Content-Le`))
  assert.equal((await ask(t, weir.port(), 'POST /cut')).status, 502)
})

test('a connection that ends without an answer is a 502', async (t) => {
  server.on('/mute', async (socket) => socket.end())
  assert.equal((await ask(t, weir.port(), 'POST /mute')).status, 502)
})
