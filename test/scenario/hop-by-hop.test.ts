// Fields that belong to one connection stay on it (RFC 9110 7.6.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer, valueIn } from './lib/scripted-server.ts'

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

async function headSeen(t: Parameters<typeof ask>[0], path: string, headers: Record<string, string | string[]>): Promise<string> {
  assert.equal((await ask(t, weir.port(), `GET ${path}`, headers)).status, 200)
  return server.headsOf(path).at(-1) as string
}

test('fields that Connection names are not passed to the server', async (t) => {
  const head = await headSeen(t, '/named', { Connection: 'X-Private, x-other', 'X-Private': '1', 'X-Other': '2', 'X-Public': '3' })
  assert.equal(valueIn(head, 'x-private'), undefined)
  assert.equal(valueIn(head, 'x-other'), undefined)
  assert.equal(valueIn(head, 'x-public'), '3')
})

test('several Connection fields count together', async (t) => {
  const head = await headSeen(t, '/several', { Connection: ['keep-alive', 'X-One', 'X-Two'], 'X-One': '1', 'X-Two': '2' })
  assert.equal(valueIn(head, 'x-one'), undefined)
  assert.equal(valueIn(head, 'x-two'), undefined)
})

test('Connection cannot take away the fields that the request needs', async (t) => {
  const head = await headSeen(t, '/needed', { Connection: 'close, Host, Content-Length, X-Forwarded-For', Host: 'kept' })
  assert.equal(valueIn(head, 'host'), 'kept')
  assert.equal(valueIn(head, 'x-forwarded-for'), '127.0.0.1')
})

test('hop-by-hop fields of the client are not passed to the server', async (t) => {
  const head = await headSeen(t, '/hop', {
    'Keep-Alive': 'timeout=5',
    'Proxy-Connection': 'keep-alive',
    TE: 'gzip',
    Connection: 'keep-alive, TE',
  })
  for (const name of ['keep-alive', 'proxy-connection']) assert.equal(valueIn(head, name), undefined, name)
  assert.ok(!/gzip/.test(valueIn(head, 'te') ?? ''))
})

test('credentials for a proxy end at the balancer', async (t) => {
  const head = await headSeen(t, '/credentials', { 'Proxy-Authorization': 'Basic eA==', Authorization: 'Basic eQ==' })
  assert.equal(valueIn(head, 'proxy-authorization'), undefined)
  assert.equal(valueIn(head, 'authorization'), 'Basic eQ==')
})

test('hop-by-hop fields of the server are not passed to the client', async (t) => {
  server.on(
    '/back',
    response(
      'x',
      'Connection: keep-alive, X-Private\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\nProxy-Connection: close\r\nX-Public: 2\r\n',
    ),
  )
  const answer = await ask(t, weir.port(), 'GET /back')
  for (const name of ['keep-alive', 'x-private', 'proxy-connection']) assert.equal(answer.header(name), undefined, name)
  assert.equal(answer.header('x-public'), '2')
})

test('an upgrade to h2c is not passed on, and the request is served as HTTP/1.1', async (t) => {
  const head = await headSeen(t, '/h2c', {
    Connection: 'Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA',
  })
  assert.equal(valueIn(head, 'upgrade'), undefined)
  assert.equal(valueIn(head, 'http2-settings'), undefined)
  assert.ok(!/upgrade/i.test(valueIn(head, 'connection') ?? ''))
})

test('fields that stay on the way keep their names, values, order and number', async (t) => {
  const head = await headSeen(t, '/kept', { 'X-CamelCase': 'a  b', Cookie: 'a=1; b=2', Accept: ['text/html', 'text/plain'], 'X-Empty': '' })
  assert.match(head, /\r\nX-CamelCase: a {2}b\r\n/)
  assert.match(head, /\r\nAccept: text\/html\r\n(.*\r\n)*Accept: text\/plain\r\n/)
  assert.equal(valueIn(head, 'cookie'), 'a=1; b=2')
  assert.equal(valueIn(head, 'x-empty'), '')
})

test('several Set-Cookie fields of a response stay several', async (t) => {
  server.on('/cookies', response('x', 'Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n'))
  const answer = await ask(t, weir.port(), 'GET /cookies')
  assert.deepEqual(
    answer.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2; Path=/'],
  )
})
