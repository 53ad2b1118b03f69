// Routes that answer themselves, without a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'

const server = await startServer(file)
const routes = [
  { match: { path: '=/old' }, redirect: { to: '/new', status: 301 } },
  { match: { path: '=/default' }, redirect: { to: '/new' } },
  { match: { path: '/secure/' }, redirect: { to: 'https://{host}{path}', status: 307 } },
  {
    match: { path: '=/hello' },
    answer: { status: 203, body: 'hello\n', contentType: 'text/x-greeting', headers: { 'X-From': 'weir', 'Cache-Control': 'no-store' } },
  },
  { match: { path: '=/empty' }, answer: { status: 204 } },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [server.address], listener: { routes } }))

test('a redirect has its status and Location, and the connection goes on', async (t) => {
  const client = await connect(t, weir.port())
  for (const [path, status] of [
    ['/old', 301],
    ['/default', 308],
  ] as const) {
    client.request(`GET ${path}`)
    const answer = await client.readResponse()
    assert.equal(answer.status, status)
    assert.equal(answer.header('location'), '/new')
  }
})

test('a redirect may hold placeholders', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /secure/page', { Host: 'shop.example' })
  assert.equal(answer.status, 307)
  assert.equal(answer.header('location'), 'https://shop.example/secure/page')
})

test('a fixed answer has its status, body, type and headers', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /hello')
  assert.equal(answer.status, 203)
  assert.equal(answer.text, 'hello\n')
  assert.equal(answer.header('content-type'), 'text/x-greeting')
  assert.equal(answer.header('x-from'), 'weir')
  assert.equal(answer.header('cache-control'), 'no-store')
  assert.ok(!Number.isNaN(Date.parse(answer.header('date') ?? '')))
})

test('a fixed answer to HEAD has the length of its body and no body', async (t) => {
  const client = await connect(t, weir.port())
  client.request('HEAD /hello')
  assert.equal((await client.readResponse({ method: 'HEAD' })).header('content-length'), '6')
  client.request('GET /empty')
  const empty = await client.readResponse()
  assert.equal(empty.status, 204)
  assert.equal(empty.header('content-length'), undefined)
})

test('the body of a request that is answered at once is not taken for the next request', async (t) => {
  const client = await connect(t, weir.port())
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n'
  client.request('POST /hello', { 'Content-Length': String(smuggled.length) }, smuggled)
  assert.equal((await client.readResponse()).status, 203)
  client.request('GET /after')
  // Either the body was read away and the next request is served, or the connection was closed.
  const next = await client.readResponse().catch(() => undefined)
  if (next) assert.match(next.text, /"url":"\/after"/)
  assert.equal(server.seen.filter(({ url }) => url === '/smuggled').length, 0)
})

test('no server sees requests that the balancer answers', async (t) => {
  const before = server.seen.length
  for (const path of ['/old', '/hello', '/empty', '/secure/']) await ask(t, weir.port(), `GET ${path}`)
  assert.equal(server.seen.length, before)
})
