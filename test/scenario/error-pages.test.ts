// What clients see when the balancer itself has to say no.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'

const server = await startServer(file, (_req, res) => {
  res.statusCode = 404
  res.end('page of the server')
})
const page = join(tmpdir(), `weir-page-${process.pid}.html`)
writeFileSync(page, '<h1>from a file</h1>')
file.after(() => rmSync(page, { force: true }))
const routes = [
  { match: { path: '/app/' }, upstream: 'app' },
  { match: { path: '/down/' }, upstream: 'down' },
  { match: { path: '/route/' }, upstream: 'down', errorPages: { 503: { body: 'of the route', contentType: 'text/plain' } } },
]
const listeners = {
  web: { bind: '127.0.0.1:0', routes },
  own: { bind: '127.0.0.1:0', routes, errorPages: { 404: { body: '{"error":"nothing here"}', contentType: 'application/json' } } },
}
const top = {
  listeners,
  upstreams: { app: { servers: [server.address] }, down: { servers: ['127.0.0.1:1'] } },
  errorPages: { 503: { file: page }, 404: { body: 'common' } },
}
const weir = await startBalancer(file, config({ servers: [], top }))

test('the page of the file is used for every listener without its own', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /nowhere')
  assert.equal(answer.status, 404)
  assert.equal(answer.text, 'common')
  assert.equal(answer.header('content-type'), 'text/html; charset=utf-8')
})

test('the page of a listener wins over the common one', async (t) => {
  const answer = await ask(t, weir.port('own'), 'GET /nowhere')
  assert.equal(answer.text, '{"error":"nothing here"}')
  assert.equal(answer.header('content-type'), 'application/json')
})

test('a page can come from a file', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /down/')
  assert.equal(answer.status, 503)
  assert.equal(answer.text, '<h1>from a file</h1>')
})

test('the page of a route wins over the others', async (t) => {
  assert.equal((await ask(t, weir.port(), 'GET /route/')).text, 'of the route')
})

test('an error of the server itself is passed on untouched', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /app/x')
  assert.equal(answer.status, 404)
  assert.equal(answer.text, 'page of the server')
})

test('an error answer to HEAD has no body', async (t) => {
  const client = await connect(t, weir.port())
  client.request('HEAD /nowhere')
  assert.equal((await client.readResponse({ method: 'HEAD' })).status, 404)
  client.request('GET /app/x')
  assert.equal((await client.readResponse()).text, 'page of the server')
})
