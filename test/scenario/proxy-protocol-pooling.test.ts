// A connection that began with a PROXY header speaks for one client: kept for its next request, never used for another one.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { binaryOf, framed, lineOf, V4 } from './lib/proxy-header.ts'
import { type RawServer, rawServer, response, type ServerSocket } from './lib/raw-server.ts'
import type { Scope } from './lib/wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-proxy-pooling-'))
file.after(() => rmSync(folder, { recursive: true, force: true }))

/** A server that answers each request with the PROXY line of its connection and the connection's number. */
function telling(scope: Scope, leave: (socket: ServerSocket, request: number) => boolean = () => false): Promise<RawServer> {
  return rawServer(scope, async (socket) => {
    const told = (await socket.readUntil('\r\n', 60_000)).trim()
    for (let request = 1; ; request++) {
      await socket.readHead(60_000)
      socket.write(response(`${told} #${socket.number}`))
      if (leave(socket, request)) return socket.end()
    }
  })
}

const balancer = (scope: Scope, server: RawServer, upstream: Record<string, unknown> = {}) =>
  startBalancer(scope, config({ servers: [server.address], upstream: { sendProxyProtocol: 'v1', ...upstream } }))

const toldOf = ({ socket }: Client) => `PROXY TCP4 ${socket.localAddress} 127.0.0.1 ${socket.localPort} ${socket.remotePort}`

async function get(client: Client): Promise<string> {
  client.request('GET /')
  return (await client.readResponse()).text
}

test('two clients never share a connection, and each reuses its own', async (t) => {
  const server = await telling(t)
  const weir = await balancer(t, server)
  const one = await connect(t, { host: '127.0.0.1', port: weir.port(), localAddress: '127.0.0.5' })
  const other = await connect(t, { host: '127.0.0.1', port: weir.port(), localAddress: '127.0.0.6' })
  for (let i = 0; i < 3; i++) {
    assert.equal(await get(one), `${toldOf(one)} #1`)
    assert.equal(await get(other), `${toldOf(other)} #2`)
  }
  assert.equal(server.connections, 2)
})

test('two connections of one address do not share either, also one after the other', async (t) => {
  const server = await telling(t)
  const weir = await balancer(t, server)
  for (let i = 1; i <= 5; i++) {
    const client = await connect(t, weir.port())
    assert.equal(await get(client), `${toldOf(client)} #${i}`)
    assert.equal(await get(client), `${toldOf(client)} #${i}`)
    client.end()
    await client.expectClosed()
  }
})

test('many clients at once each see their own address in every answer', async (t) => {
  const server = await telling(t)
  const weir = await balancer(t, server, { keepAlive: { idle: 8 } })
  const clients = await Promise.all(
    Array.from({ length: 24 }, (_, i) => connect(t, { host: '127.0.0.1', port: weir.port(), localAddress: `127.0.1.${i + 1}` })),
  )
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < 20; i++) assert.equal((await get(client)).split(' #')[0], toldOf(client))
    }),
  )
})

test('pipelined requests of one client go over its connection in order', async (t) => {
  const server = await telling(t)
  const weir = await balancer(t, server)
  const client = await connect(t, weir.port())
  for (let i = 0; i < 10; i++) client.request(`GET /${i}`)
  for (let i = 0; i < 10; i++) assert.equal((await client.readResponse()).text, `${toldOf(client)} #1`)
  assert.deepEqual(
    server.heads.map((head) => head.split(' ')[1]),
    Array.from({ length: 10 }, (_, i) => `/${i}`),
  )
})

test('a connection that its server closed is replaced by one with a header of its own', async (t) => {
  const server = await telling(t, (socket, request) => socket.number === 1 && request === 1)
  const weir = await balancer(t, server)
  const client = await connect(t, weir.port())
  assert.equal(await get(client), `${toldOf(client)} #1`)
  assert.equal(await get(client), `${toldOf(client)} #2`)
  assert.equal(await get(client), `${toldOf(client)} #2`)
})

test('a request that failed on a reused connection begins its next attempt with a header', async (t) => {
  // The first connection takes the second request's head and is gone without a word.
  const server = await rawServer(t, async (socket) => {
    const told = (await socket.readUntil('\r\n', 60_000)).trim()
    for (let request = 1; ; request++) {
      await socket.readHead(60_000)
      if (socket.number === 1 && request === 2) return socket.reset()
      socket.write(response(`${told} #${socket.number}`))
    }
  })
  const weir = await balancer(t, server)
  const client = await connect(t, weir.port())
  assert.equal(await get(client), `${toldOf(client)} #1`)
  assert.equal(await get(client), `${toldOf(client)} #2`)
})

test('the body of a request follows its header and head unchanged', async (t) => {
  const bodies: string[] = []
  const server = await rawServer(t, async (socket) => {
    const told = (await socket.readUntil('\r\n', 60_000)).trim()
    for (;;) {
      const length = Number(/content-length: (\d+)/i.exec(await socket.readHead(60_000))?.[1])
      bodies.push((await socket.readBytes(length)).toString('latin1'))
      socket.write(response(told))
    }
  })
  const weir = await balancer(t, server)
  const client = await connect(t, weir.port())
  const sent = ['x'.repeat(200_000), 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n']
  for (const body of sent) {
    client.request('POST /', { 'Content-Length': String(body.length) }, body)
    assert.equal((await client.readResponse()).text, toldOf(client))
  }
  assert.deepEqual(bodies, sent)
})

test('a client of a unix socket is told as unknown', async (t) => {
  const server = await rawServer(t, async (socket) => {
    const first = await socket.reader.take(1, 'a first byte', 60_000)
    const told = first[0] === 0x0d ? Buffer.concat([first, await socket.readBytes(15)]) : Buffer.from(`P${await socket.readUntil('\r\n')}`)
    await socket.reader.takeSome(60_000)
    socket.write(response(told.toString('base64')))
  })
  const upstream = (version: string) => ({ servers: [server.address], sendProxyProtocol: version })
  const listener = (name: string, protocol: string) => ({ bind: `unix:${folder}/${name}-${protocol}`, protocol, upstream: name })
  const kinds = ['v1', 'v2'].flatMap((version) => ['http', 'tcp'].map((protocol) => ({ version, protocol })))
  const listeners = Object.fromEntries(kinds.map(({ version, protocol }) => [`${version}-${protocol}`, listener(version, protocol)]))
  await startBalancer(t, config({ servers: [], top: { listeners, upstreams: { v1: upstream('v1'), v2: upstream('v2') } } }))
  const expected = { v1: Buffer.from('PROXY UNKNOWN\r\n'), v2: framed(0x21, 0x00, Buffer.alloc(0)) }
  for (const { version, protocol } of kinds) {
    const client = await connect(t, `${folder}/${version}-${protocol}`)
    assert.equal(await get(client), expected[version as 'v1' | 'v2'].toString('base64'), `${version} ${protocol}`)
  }
})

test('a header that was received is passed on in the other version, without its TLVs', async (t) => {
  const endpoints = { ...V4, sourcePort: 65_535, destinationPort: 1 }
  const lines = await rawServer(t, async (socket) => socket.end(response((await socket.readUntil('\r\n', 60_000)).trim())))
  const binaries = await rawServer(t, async (socket) => socket.end(response((await socket.readBytes(28)).toString('hex'))))
  const proxied = { bind: '127.0.0.1:0', proxyProtocol: 'on', trustedProxies: ['127.0.0.1'] }
  const listeners = {
    httpV1: { ...proxied, upstream: 'v1' },
    tcpV1: { ...proxied, protocol: 'tcp', upstream: 'v1' },
    httpV2: { ...proxied, upstream: 'v2' },
    tcpV2: { ...proxied, protocol: 'tcp', upstream: 'v2' },
  }
  const upstreams = {
    v1: { servers: [lines.address], sendProxyProtocol: 'v1' },
    v2: { servers: [binaries.address], sendProxyProtocol: 'v2' },
  }
  const weir = await startBalancer(t, config({ servers: [], top: { listeners, upstreams } }))
  const received = { httpV1: binaryOf({ endpoints, tlvs: [[0xea, 'x']] }), tcpV1: binaryOf({ endpoints, tlvs: [[0xea, 'x']] }) }
  for (const [name, header] of Object.entries({ ...received, httpV2: lineOf(endpoints), tcpV2: lineOf(endpoints) })) {
    const client = await connect(t, weir.port(name))
    client.send(header)
    const expected = name.endsWith('V1') ? lineOf(endpoints).trim() : binaryOf({ endpoints }).toString('hex')
    assert.equal(await get(client), expected, name)
  }
})
