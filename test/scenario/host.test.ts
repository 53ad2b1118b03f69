// Which Host a server sees.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, startServer } from './lib/server.ts'
import type { Scope } from './lib/wait.ts'

const server = await startServer(file)
const routes = [
  { match: { path: '/server/' }, upstream: 'app', host: 'server' },
  { match: { path: '/literal/' }, upstream: 'app', host: 'inner.example' },
  { match: { path: '/preserve/' }, upstream: 'app', host: 'preserve' },
  { match: { host: 'routed.example' }, answer: { body: 'routed by host' } },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [server.address], listener: { routes } }))

async function seen(scope: Scope, line: string, host: string): Promise<Echo> {
  return JSON.parse((await ask(scope, weir.port(), line, { Host: host })).text) as Echo
}

test('the Host of the client is preserved, with its port and spelling', async (t) => {
  assert.equal((await seen(t, 'GET /', 'Shop.Example:8443')).headers.host, 'Shop.Example:8443')
  assert.equal((await seen(t, 'GET /preserve/', 'shop.example')).headers.host, 'shop.example')
})

test('a route can send the address of the server as Host', async (t) => {
  assert.equal((await seen(t, 'GET /server/', 'shop.example')).headers.host, server.address)
})

test('a route can send a Host of its own', async (t) => {
  const { headers } = await seen(t, 'GET /literal/', 'shop.example')
  assert.equal(headers.host, 'inner.example')
  assert.equal(headers['x-forwarded-host'], 'shop.example')
})

test('the authority of an absolute target replaces Host, for the server and for routing', async (t) => {
  const { headers, url } = await seen(t, 'GET http://absolute.example/path?q=1', 'other.example')
  assert.equal(headers.host, 'absolute.example')
  assert.equal(url, '/path?q=1')
  assert.equal((await ask(t, weir.port(), 'GET http://routed.example/', { Host: 'other.example' })).text, 'routed by host')
})

test('a host is matched without its port and in any case', async (t) => {
  assert.equal((await ask(t, weir.port(), 'GET /', { Host: 'ROUTED.example:1234' })).text, 'routed by host')
})

test('the server sees exactly one Host', async (t) => {
  const { rawHeaders } = await seen(t, 'GET /literal/', 'shop.example')
  assert.equal(rawHeaders.filter((text) => text.toLowerCase() === 'host').length, 1)
})

test('a request without Host or with two is refused with 400 and its connection closed', async (t) => {
  for (const hosts of ['', 'Host: a\r\nHost: b\r\n']) {
    const client = await connect(t, weir.port())
    client.send(`GET / HTTP/1.1\r\n${hosts}\r\n`)
    assert.equal((await client.readResponse()).status, 400)
    await client.expectClosed()
  }
})
