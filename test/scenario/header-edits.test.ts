// Headers that routes set, add and remove.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, echo, startServer } from './lib/server.ts'

const server = await startServer(file, (req, res, seen) => {
  res.setHeader('Server', 'old-server')
  res.setHeader('X-Powered-By', 'test')
  res.setHeader('X-Frame-Options', 'ALLOWALL')
  res.setHeader('X-List', 'server')
  return echo('a')(req, res, seen)
})
const edits = {
  request: {
    set: { 'X-Env': 'prod', 'x-replaced': 'ours' },
    add: { 'X-Tag': ['one', 'two'] },
    remove: ['X-Secret', 'cookie'],
  },
  response: { set: { 'X-Frame-Options': 'DENY', 'X-New': 'yes' }, add: { 'X-List': 'balancer' }, remove: ['Server', 'x-powered-by'] },
}
const values = {
  'X-Client': '{client.ip}:{client.port}',
  'X-Host': '{host}',
  'X-Line': '{method} {path}',
  'X-Scheme': '{scheme}',
  'X-Id': '{request.id}',
  'X-Server': '{server} of {upstream}',
  'X-Port': '{listener.port}',
}
const routes = [
  { match: { path: '/edit/' }, upstream: 'app', headers: edits },
  {
    match: { path: '/values/' },
    upstream: 'app',
    headers: { request: { set: values }, response: { set: { 'X-Answered-By': '{server}' } } },
  },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [{ name: 'first', address: server.address }], listener: { routes } }))

test('request headers are set, added and removed, whatever their case', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /edit/', {
    'X-Replaced': ['theirs', 'twice'],
    'X-Tag': 'zero',
    'x-secret': '1',
    Cookie: 'a=1',
    'X-Stays': 'yes',
  })
  const { headers } = JSON.parse(answer.text) as Echo
  assert.equal(headers['x-env'], 'prod')
  assert.equal(headers['x-replaced'], 'ours')
  assert.equal(headers['x-tag'], 'zero, one, two')
  assert.equal(headers['x-secret'], undefined)
  assert.equal(headers.cookie, undefined)
  assert.equal(headers['x-stays'], 'yes')
})

test('response headers are set, added and removed, whatever their case', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /edit/')
  assert.equal(answer.header('x-frame-options'), 'DENY')
  assert.equal(answer.header('x-new'), 'yes')
  assert.equal(answer.header('x-list'), 'server, balancer')
  assert.equal(answer.header('server'), undefined)
  assert.equal(answer.header('x-powered-by'), undefined)
})

test('headers of other routes are not edited', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /', { 'X-Secret': '1' })
  assert.equal((JSON.parse(answer.text) as Echo).headers['x-secret'], '1')
  assert.equal(answer.header('server'), 'old-server')
})

test('values may hold placeholders', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /values/x?q=1', { Host: 'shop.example' })
  const { headers } = JSON.parse(answer.text) as Echo
  assert.match(String(headers['x-client']), /^127\.0\.0\.1:\d{2,5}$/)
  assert.equal(headers['x-host'], 'shop.example')
  assert.equal(headers['x-line'], 'GET /values/x')
  assert.equal(headers['x-scheme'], 'http')
  assert.equal(headers['x-id'], headers['x-request-id'])
  assert.equal(headers['x-server'], 'app/first of app')
  assert.equal(headers['x-port'], String(weir.port()))
  assert.equal(answer.header('x-answered-by'), 'app/first')
})
