// Headers that make browsers careful: on every response that has none of its own, weir's answers included.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { authority } from './lib/certificates.ts'
import { ask, type Response } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { secureClient } from './lib/tls.ts'

const server = await startServer(file, (req, res) => {
  if (req.url === '/own') res.setHeader('x-frame-options', 'DENY').setHeader('Referrer-Policy', 'no-referrer')
  res.end()
})
const ca = await authority(file)
const { path, keyPath } = await ca.issue({ names: ['a.test'] })
const routes = [
  { match: { path: '=/moved' }, redirect: { to: '/new' } },
  { match: { path: '=/framed' }, upstream: 'app', headers: { response: { remove: ['X-Frame-Options'] } } },
  { match: { path: '=/said' }, upstream: 'app', headers: { response: { set: { 'X-Content-Type-Options': 'said' } } } },
  { match: { path: '/' }, upstream: 'app' },
]
const bind = '127.0.0.1:0'
const https = { bind, protocol: 'https', tls: { certificates: [{ cert: path, key: keyPath }] }, routes }
const listeners = {
  web: { ...https, securityHeaders: 'on' },
  plain: { bind, securityHeaders: 'on', routes },
  chosen: {
    ...https,
    securityHeaders: { hsts: { maxAge: 63_072_000, includeSubdomains: true, preload: true }, frameOptions: 'deny', referrerPolicy: 'off' },
  },
  none: { ...https },
}
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams: { app: { servers: [server.address] } } } }))

const NAMES = ['strict-transport-security', 'x-content-type-options', 'x-frame-options', 'referrer-policy']
const USUAL = ['max-age=31536000', 'nosniff', 'SAMEORIGIN', 'strict-origin-when-cross-origin']
const of = ({ headers }: Pick<Response, 'headers'>) =>
  NAMES.map((name) => headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)).map((values) => values.join(' and '))

async function get(listener: string, target: string): Promise<Response> {
  const client = await secureClient(file, weir.port(listener), { ca: ca.cert, servername: 'a.test' })
  client.request(`GET ${target}`)
  return client.readResponse()
}

test('a response gets those that it does not have', async () => {
  assert.deepEqual(of(await get('web', '/')), USUAL)
  assert.deepEqual(of(await get('web', '/own')), ['max-age=31536000', 'nosniff', 'DENY', 'no-referrer'])
  assert.deepEqual(of(await get('none', '/')), ['', '', '', ''])
})

test('so do redirects and errors that weir answers', async () => {
  const moved = await get('web', '/moved')
  assert.deepEqual([moved.status, ...of(moved)], [308, ...USUAL])
})

test('rules of a route have the last word', async () => {
  assert.deepEqual(of(await get('web', '/framed')), ['max-age=31536000', 'nosniff', '', 'strict-origin-when-cross-origin'])
  assert.deepEqual(of(await get('web', '/said')), ['max-age=31536000', 'said', 'SAMEORIGIN', 'strict-origin-when-cross-origin'])
})

test('HSTS is for TLS alone', async () => {
  assert.deepEqual(of(await ask(file, weir.port('plain'), 'GET /')), ['', ...USUAL.slice(1)])
})

test('each can be chosen', async () => {
  assert.deepEqual(of(await get('chosen', '/')), ['max-age=63072000; includeSubDomains; preload', 'nosniff', 'DENY', ''])
})
