// TLS passed through unread: routed by what its ClientHello says, and the session is between client and server alone.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer as createHttpsServer } from 'node:https'
import { test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { promisify } from 'node:util'
import { startBalancer } from './lib/balancer.ts'
import { makeCertificate } from './lib/certificates.ts'
import { connect } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { drivenServer } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { digest, pour } from './lib/flow.ts'
import { addressOf, listen, shut } from './lib/listening.ts'
import { needs } from './lib/programs.ts'
import { captureHello, connectTls, cuttingRelay, dribble, messageOf, recordsOf, tlsServer } from './lib/tls-peers.ts'
import { until } from './lib/wait.ts'

const MiB = 1024 * 1024

const certificates = {
  exact: await makeCertificate(file, 'a.test'),
  wildcard: await makeCertificate(file, '*.wild.test'),
  alpn: await makeCertificate(file, 'alpn.test'),
  other: await makeCertificate(file, 'other.test', 'b.a.test', 'wild.test'),
}
const ca = Object.values(certificates).map(({ cert }) => cert)
const named = {
  exact: await tlsServer(file, 'exact', certificates.exact),
  wildcard: await tlsServer(file, 'wildcard', certificates.wildcard),
  alpn: await tlsServer(file, 'alpn', certificates.alpn, { ALPNProtocols: ['weir/1', 'weir/2'] }),
  other: await tlsServer(file, 'other', certificates.other),
}
const https = createHttpsServer(certificates.exact, (_req, res) => void res.end('over https'))
await listen(https, { host: '127.0.0.1', port: 0 })
file.after(() => shut(https, () => []))
const recorder = await drivenServer(file)

const upstreams = {
  ...Object.fromEntries(Object.entries(named).map(([name, { address }]) => [name, { servers: [address] }])),
  https: { servers: [addressOf(https)] },
  recorder: { servers: [recorder.address] },
}
const routes = [
  { match: {}, upstream: 'other' },
  { match: { sni: '*.wild.test' }, upstream: 'wildcard' },
  { match: { sni: ['a.test', 'a.example'] }, upstream: 'exact' },
  { match: { alpn: ['weir/1', 'weir/9'] }, upstream: 'alpn' },
]
const listeners = {
  web: { bind: '127.0.0.1:0', protocol: 'tls', routes },
  https: { bind: '127.0.0.1:0', protocol: 'tls', routes: [{ match: { sni: 'a.test' }, upstream: 'https' }] },
  recorder: { bind: '127.0.0.1:0', protocol: 'tls', upstream: 'recorder' },
}
const weir = await startBalancer(file, tcpConfig({ servers: [], top: { listeners, upstreams } }))

const sessions: { what: string; options: ConnectionOptions; server: keyof typeof named; commonName: string }[] = [
  { what: 'an exact name', options: { servername: 'a.test' }, server: 'exact', commonName: 'a.test' },
  { what: 'a name in capitals', options: { servername: 'A.Test' }, server: 'exact', commonName: 'a.test' },
  { what: 'a name below a wildcard', options: { servername: 'one.wild.test' }, server: 'wildcard', commonName: '*.wild.test' },
  { what: 'the name of a wildcard itself', options: { servername: 'wild.test' }, server: 'other', commonName: 'other.test' },
  { what: 'a name below an exact one', options: { servername: 'b.a.test' }, server: 'other', commonName: 'other.test' },
  { what: 'an unknown name', options: { servername: 'other.test' }, server: 'other', commonName: 'other.test' },
  { what: 'no name', options: {}, server: 'other', commonName: 'other.test' },
  { what: 'a protocol that is offered first', options: { ALPNProtocols: ['weir/1'] }, server: 'alpn', commonName: 'alpn.test' },
  { what: 'a protocol that is offered last', options: { ALPNProtocols: ['weir/2', 'weir/1'] }, server: 'alpn', commonName: 'alpn.test' },
  { what: 'a protocol that no route names', options: { ALPNProtocols: ['weir/2'] }, server: 'other', commonName: 'other.test' },
]

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const { what, options, server, commonName } of sessions) {
    test(`${version}: ${what} leads to the server “${server}”, whose certificate the client verifies`, async (t) => {
      const client = await connectTls(t, weir.port(), { ca, minVersion: version, maxVersion: version, ...options })
      assert.equal(client.socket.authorized, true)
      assert.equal(client.socket.getProtocol(), version)
      assert.equal(client.commonName, commonName)
      assert.equal(await client.reader.takeUntil('\n'), `${server}\n`)
    })
  }
}

test('a protocol is agreed on between client and server', async (t) => {
  const client = await connectTls(t, weir.port(), { ca, ALPNProtocols: ['weir/2', 'weir/1'] })
  assert.equal(client.socket.alpnProtocol, 'weir/1', 'as the server prefers')
})

test('5 MiB pass in both directions of a session', async (t) => {
  const client = await connectTls(t, weir.port(), { ca, servername: 'a.test' })
  assert.equal(await client.reader.takeUntil('\n'), 'exact\n')
  const flow = pour(client.socket, 5 * MiB)
  const back = await digest(client.reader, 5 * MiB)
  assert.deepEqual(back, { bytes: 5 * MiB, sha256: await flow.poured })
})

const manyProtocols = Array.from({ length: 1_500 }, (_, i) => `protocol-number-${i}`)
const cuts: { how: string; record?: number; piece: number; options?: ConnectionOptions }[] = [
  { how: 'byte by byte', piece: 1 },
  { how: 'in pieces of 100 bytes', piece: 100 },
  { how: 'in records of 7 bytes at once', record: 7, piece: 100_000 },
  { how: 'in records of 1 byte, 3 bytes at a time', record: 1, piece: 3 },
  { how: 'in records of 100 bytes, byte by byte', record: 100, piece: 1 },
  { how: 'of 30 kB in two records', piece: 100_000, options: { ALPNProtocols: manyProtocols } },
  { how: 'of 30 kB in records of 900 bytes, 800 at a time', record: 900, piece: 800, options: { ALPNProtocols: manyProtocols } },
]

for (const { how, options = {}, ...cut } of cuts) {
  test(`a ClientHello that comes ${how} is read as one`, async (t) => {
    const port = await cuttingRelay(t, weir.port(), cut)
    const client = await connectTls(t, port, { ca, servername: 'one.wild.test', ...options })
    assert.equal(client.commonName, '*.wild.test')
    assert.equal(await client.reader.takeUntil('\n'), 'wildcard\n')
  })
}

for (const { how, options = {}, record, piece } of cuts) {
  test(`the bytes of a ClientHello that comes ${how} reach the server as they were sent`, async (t) => {
    const hello = await captureHello(t, { servername: 'a.test', ...options })
    const sent = record === undefined ? hello : recordsOf(messageOf(hello) as Buffer, record)
    const client = await connect(t, weir.port('recorder'))
    const arrived = recorder.next().then((peer) => peer.readBytes(sent.length + 10))
    await dribble(client.socket, sent, piece)
    client.send('and after')
    client.send('!')
    assert.ok((await arrived).equals(Buffer.concat([sent, Buffer.from('and after!')])))
  })
}

test('a session without any route for its name is closed, and the log says so', async (t) => {
  await assert.rejects(connectTls(t, weir.port('https'), { ca, servername: 'nobody.test' }))
  await until(() => /listener https: closed a connection from 127\.0\.0\.1: no route matches\n/.test(weir.log()))
})

test('curl speaks HTTPS through it', async (t) => {
  const curl = needs(t, 'curl')
  if (curl === undefined) return
  const port = weir.port('https')
  const url = `https://a.test:${port}/`
  const args = [
    '-sS',
    '--max-time',
    '5',
    '--noproxy',
    '*',
    '--cacert',
    certificates.exact.path,
    '--resolve',
    `a.test:${port}:127.0.0.1`,
    url,
  ]
  const { stdout } = await promisify(execFile)(curl, args)
  assert.equal(stdout, 'over https')
})
