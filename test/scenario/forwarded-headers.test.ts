// Who the client is, as servers are told: dropped and set anew, unless the peer is a trusted proxy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, startServer } from './lib/server.ts'
import type { Scope } from './lib/wait.ts'

const server = await startServer(file)
const routes = [{ match: {}, upstream: 'app' }]
const listeners = {
  web: { bind: '127.0.0.1:0', routes },
  trusting: { bind: ['127.0.0.1:0'], routes, trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32'] },
  few: { bind: '127.0.0.1:0', routes, forwardedHeaders: ['x-forwarded-for', 'x-request-id'] },
  six: { bind: '[::1]:0', routes },
}
const weir = await startBalancer(file, config({ servers: [server.address], top: { listeners } }))

const CLAIMS = {
  'X-Forwarded-For': '203.0.113.7, 10.1.1.1',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'public.example',
  'X-Forwarded-Port': '443',
  'X-Real-IP': '198.51.100.9',
  'X-Request-Id': 'id-of-the-proxy',
  Forwarded: 'for=203.0.113.7;proto=https',
}

async function seen(scope: Scope, listener: string, headers: Record<string, string | string[]>): Promise<Echo['headers']> {
  const { hostname, port } = new URL(weir.url('/', listener))
  const answer = await ask(scope, { host: hostname.replace(/[[\]]/g, ''), port: Number(port) }, 'GET /', headers)
  return (JSON.parse(answer.text) as Echo).headers
}

test('a client that is not trusted is described by its own connection, whatever it claims', async (t) => {
  const headers = await seen(t, 'web', { Host: 'shop.example:8080', ...CLAIMS })
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(headers['x-forwarded-proto'], 'http')
  assert.equal(headers['x-forwarded-host'], 'shop.example:8080')
  assert.equal(headers['x-forwarded-port'], String(weir.port()))
  assert.equal(headers['x-real-ip'], '127.0.0.1')
  assert.match(headers.forwarded ?? '', /^for="?127\.0\.0\.1/)
  assert.doesNotMatch(headers.forwarded ?? '', /203\.0\.113\.7/)
  assert.match(headers.forwarded ?? '', /proto=http(;|$)/)
})

test('every request gets an id of its own', async (t) => {
  const first = (await seen(t, 'web', CLAIMS))['x-request-id'] ?? ''
  const second = (await seen(t, 'web', CLAIMS))['x-request-id'] ?? ''
  assert.notEqual(first, 'id-of-the-proxy')
  assert.ok(String(first).length >= 8)
  assert.notEqual(first, second)
})

test('the address of a trusted proxy is added to what it forwarded', async (t) => {
  const headers = await seen(t, 'trusting', CLAIMS)
  assert.equal(headers['x-forwarded-for'], '203.0.113.7, 10.1.1.1, 127.0.0.1')
  assert.match(headers.forwarded ?? '', /^for=203\.0\.113\.7;proto=https, ?for="?127\.0\.0\.1/)
})

test('protocol, host, port and id of a trusted proxy are kept', async (t) => {
  const headers = await seen(t, 'trusting', CLAIMS)
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-forwarded-host'], 'public.example')
  assert.equal(headers['x-forwarded-port'], '443')
  assert.equal(headers['x-request-id'], 'id-of-the-proxy')
})

test('a trusted proxy that says nothing is described like a client', async (t) => {
  const headers = await seen(t, 'trusting', { Host: 'plain.example' })
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(headers['x-forwarded-proto'], 'http')
  assert.equal(headers['x-forwarded-host'], 'plain.example')
  assert.equal(headers['x-real-ip'], '127.0.0.1')
  assert.ok(headers['x-request-id'])
})

const chains: { name: string; chain: string | string[]; real: string }[] = [
  { name: 'the only address', chain: '203.0.113.7', real: '203.0.113.7' },
  { name: 'the right-most address that is not trusted', chain: '6.6.6.6, 203.0.113.7, 10.1.1.1', real: '203.0.113.7' },
  { name: 'an IPv6 address behind a trusted one', chain: '2606:4700::1, 2001:db8::5', real: '2606:4700::1' },
  { name: 'an address from the last of several fields', chain: ['6.6.6.6', '203.0.113.8, 10.2.2.2'], real: '203.0.113.8' },
]

for (const { name, chain, real } of chains) {
  test(`X-Real-IP from a trusted proxy is ${name}`, async (t) => {
    const headers = await seen(t, 'trusting', { 'X-Forwarded-For': chain, 'X-Real-IP': '6.6.6.6' })
    assert.equal(headers['x-real-ip'], real)
    assert.equal(headers['x-forwarded-for'], `${[chain].flat().join(', ')}, 127.0.0.1`)
  })
}

test('only the wanted headers are sent, and claims for the others do not get through either', async (t) => {
  const headers = await seen(t, 'few', CLAIMS)
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.ok(headers['x-request-id'])
  for (const name of ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip', 'forwarded'])
    assert.equal(headers[name], undefined, name)
})

test('an IPv6 client is written as the standards ask for', async (t) => {
  const headers = await seen(t, 'six', {})
  assert.equal(headers['x-forwarded-for'], '::1')
  assert.equal(headers['x-real-ip'], '::1')
  assert.match(headers.forwarded ?? '', /for="\[::1\]/i)
})

test('odd spellings of the names do not get through', async (t) => {
  const headers = await seen(t, 'web', { 'x-forwarded-FOR': '6.6.6.6', 'X-REAL-ip': '6.6.6.6' })
  assert.doesNotMatch(JSON.stringify(headers), /6\.6\.6\.6/)
})
