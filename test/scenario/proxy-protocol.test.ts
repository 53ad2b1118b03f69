// A proxy in front says in a PROXY header whom it speaks for. The headers here are made by hand; real proxies are in
// proxy-protocol-peers.test.ts.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { assertClient, echoed, firstLine, GET, namedServer, openTo, PROXIED, seenAfter, tellingServer, textAfter } from './lib/proxied.ts'
import { binaryOf, type Endpoints, framed, lineOf, V4, V6 } from './lib/proxy-header.ts'
import { startServer } from './lib/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-proxy-protocol-'))
file.after(() => rmSync(folder, { recursive: true, force: true }))

const app = await startServer(file)
const teller = await tellingServer(file)
const documentation = await namedServer(file, 'documentation')
const six = await namedServer(file, 'six')

const routes = [{ match: {}, upstream: 'app' }]
const answer = (name: string) => ({ answer: { status: 200, body: name } })
const webRoutes = [
  { match: { path: '/where', clientIp: '203.0.113.0/24' }, ...answer('documentation') },
  { match: { path: '/where', clientIp: '2001:db8::/32' }, ...answer('six') },
  { match: { path: '/where' }, ...answer('elsewhere') },
  ...routes,
]
const whereRoutes = [
  { match: { clientIp: '203.0.113.7' }, upstream: 'documentation' },
  { match: { clientIp: '2001:db8::/32' }, upstream: 'six' },
  { match: {}, upstream: 'teller' },
]
const listeners = {
  web: { ...PROXIED, routes: webRoutes },
  tcp: { ...PROXIED, protocol: 'tcp', upstream: 'teller' },
  where: { ...PROXIED, protocol: 'tcp', routes: whereRoutes },
  believing: { ...PROXIED, trustedProxies: ['127.0.0.1', '203.0.113.0/24'], routes },
  plain: { bind: '127.0.0.1:0', trustedProxies: ['127.0.0.1'], routes },
  socket: { ...PROXIED, bind: `unix:${folder}/web`, routes },
  tcpSocket: { ...PROXIED, bind: `unix:${folder}/tcp`, protocol: 'tcp', upstream: 'teller' },
}
const upstreams = {
  app: { servers: [app.address] },
  teller: { servers: [teller.address], sendProxyProtocol: 'v1' },
  documentation: { servers: [documentation.address] },
  six: { servers: [six.address] },
}
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams } }))

const HEADERS: [name: string, header: string | Buffer, endpoints: Endpoints][] = [
  ['version 1 over IPv4', lineOf(V4), V4],
  ['version 1 over IPv6', lineOf(V6), V6],
  ['version 2 over IPv4', binaryOf({ endpoints: V4 }), V4],
  ['version 2 over IPv6', binaryOf({ endpoints: V6 }), V6],
  ['version 2 with TLVs and a checksum', binaryOf({ endpoints: V4, tlvs: [[0x04, Buffer.alloc(3000)]], checksum: 'right' }), V4],
]

for (const [name, header, endpoints] of HEADERS) {
  test(`the client of a header of ${name} is told to HTTP and TCP servers`, async (t) => {
    assertClient(await seenAfter(t, weir, 'web', header), endpoints)
    assert.equal(await firstLine(t, weir, 'tcp', header), lineOf(endpoints))
  })

  test(`routes match the client of a header of ${name}`, async (t) => {
    const name = endpoints === V4 ? 'documentation' : 'six'
    assert.equal(await textAfter(t, weir, '/where', header), name)
    assert.equal(await firstLine(t, weir, 'where', header), `${name}\r\n`)
  })

  test(`a header of ${name} counts over a unix socket`, async (t) => {
    assertClient(await seenAfter(t, weir, 'socket', header), endpoints)
    assert.equal(await firstLine(t, weir, 'tcpSocket', header), lineOf(endpoints))
  })

  test(`a header of ${name} may come byte by byte`, async (t) => {
    const client = await openTo(t, weir, 'web')
    const tcp = await openTo(t, weir, 'tcp')
    for (const byte of Buffer.from(header as string, 'latin1')) {
      for (const one of [client, tcp]) one.send(Buffer.from([byte]))
      await nextTurn()
    }
    client.send(GET)
    assertClient(await echoed(client), endpoints)
    assert.equal(await tcp.reader.takeUntil('\r\n'), lineOf(endpoints))
  })

  test(`a header of ${name} and what follows may come in one segment`, async (t) => {
    const bytes = Buffer.concat([Buffer.from(header as string, 'latin1'), Buffer.from(GET + GET)])
    const client = await openTo(t, weir, 'web')
    client.send(bytes)
    assertClient(await echoed(client), endpoints)
    assertClient(await echoed(client), endpoints)
    const tcp = await openTo(t, weir, 'tcp')
    tcp.send(bytes)
    assert.equal(await tcp.reader.takeUntil('\r\n'), lineOf(endpoints))
    assert.equal((await tcp.reader.take(GET.length * 2)).toString('latin1'), GET + GET)
  })
}

const OWN: [name: string, header: string | Buffer][] = [
  ['version 1 UNKNOWN', 'PROXY UNKNOWN\r\n'],
  ['version 1 UNKNOWN with addresses', 'PROXY UNKNOWN 203.0.113.7 198.51.100.2 40001 8443\r\n'],
  ['version 2 LOCAL', binaryOf({ command: 'local' })],
  ['version 2 LOCAL with addresses', binaryOf({ command: 'local', endpoints: V4 })],
  ['version 2 UNSPEC', binaryOf({})],
  ['version 2 of a unix socket', framed(0x21, 0x31, Buffer.alloc(216, 'x'))],
]

for (const [name, header] of OWN) {
  test(`after ${name} the real peer stands`, async (t) => {
    const headers = await seenAfter(t, weir, 'web', header)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-port'], String(weir.port('web')))
    assert.equal(await textAfter(t, weir, '/where', header), 'elsewhere')
    const client = await openTo(t, weir, 'tcp')
    client.send(header)
    const { localPort } = client.socket
    assert.equal(await client.reader.takeUntil('\r\n'), `PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${weir.port('tcp')}\r\n`)
  })
}

test('a client behind a trusted proxy is not believed what it says about itself', async (t) => {
  const client = await openTo(t, weir, 'web')
  client.send(lineOf(V4))
  client.request('GET /', { 'X-Forwarded-For': '192.0.2.99', 'X-Real-IP': '192.0.2.99', 'X-Forwarded-Port': '1' })
  assertClient(await echoed(client), V4)
})

test('a client whose own address is trusted is believed', async (t) => {
  const client = await openTo(t, weir, 'believing')
  client.send(lineOf(V4))
  client.request('GET /', { 'X-Forwarded-For': '192.0.2.99' })
  const headers = await echoed(client)
  assert.equal(headers['x-forwarded-for'], `192.0.2.99, ${V4.source}`)
  assert.equal(headers['x-real-ip'], '192.0.2.99')
})

test('a header where none is expected is a bad request', async (t) => {
  const client = await openTo(t, weir, 'plain')
  client.send(lineOf(V4) + GET)
  assert.equal((await client.readResponse()).status, 400)
})
