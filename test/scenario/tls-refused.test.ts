// What is no TLS, or not in time, or too much of it: bounded, counted, told in the log, and nobody else notices.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { authority } from './lib/certificates.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { residentBytes } from './lib/processes.ts'
import { startServer } from './lib/server.ts'
import { askSecurely, secureClient } from './lib/tls.ts'
import { captureHello, recordsOf } from './lib/tls-peers.ts'
import { renegotiate } from './lib/tls-programs.ts'
import { needsTools } from './lib/tools.ts'
import { type Scope, timed, until } from './lib/wait.ts'

const ca = await authority(file)
const certificate = await ca.issue({ names: ['a.test'] })
const tls = { certificates: [{ cert: certificate.path, key: certificate.keyPath }] }
/** Paths of requests that were whole. */
const whole: (string | undefined)[] = []
const server = await startServer(file, (req, res) => {
  whole.push(req.url)
  res.end('here')
})
const https = { bind: '127.0.0.1:0', protocol: 'https', upstream: 'app', tls }
const listeners = {
  web: https,
  impatient: { ...https, timeouts: { handshake: '500ms' } },
  tcp: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'app', tls },
  strict: { ...https, tls: { ...tls, unknownName: 'reject' } },
}
const [WEB, IMPATIENT, TCP, STRICT] = [0, 1, 2, 3] as const
const weir = await startBalancer(file, config({ servers: [server.address], top: { listeners } }))
const board = boardOf(weir)
const hello = await captureHello(file, { servername: 'a.test' })

async function works(scope: Scope): Promise<void> {
  assert.equal((await askSecurely(scope, weir.port(), { ca: ca.cert, servername: 'a.test' })).text, 'here')
}

for (const line of ['GET / HTTP/1.1', 'POST /form HTTP/1.1', 'OPTIONS * HTTP/1.0', 'PROPFIND /x HTTP/1.1']) {
  test(`plain HTTP on the TLS port (${line}) is answered with a 400 that says so`, async (t) => {
    const before = board.refusals(WEB).tlsHandshake
    const client = await connect(t, weir.port())
    client.send(`${line}\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n`)
    const answer = await client.readResponse()
    assert.equal(answer.status, 400)
    assert.match(answer.text, /https/i)
    assert.equal(answer.header('connection'), 'close')
    await client.expectClosed()
    assert.equal(board.refusals(WEB).tlsHandshake, before + 1)
    assert.equal(server.seen.filter(({ url }) => url === '/form' || url === '/x').length, 0)
    await works(t)
  })
}

test('plain HTTP on a tcp listener with tls is closed without an answer of HTTP', async (t) => {
  const client = await connect(t, weir.port('tcp'))
  client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  assert.doesNotMatch((await client.reader.takeRest()).toString('latin1'), /HTTP\/1/)
  assert.equal(board.refusals(TCP).tlsHandshake, 1)
})

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

// A handshake message that announces more than may ever come.
const endless = recordsOf(Buffer.concat([Buffer.from([1, 0xff, 0xff, 0xff, 3, 3]), Buffer.alloc(200_000)]), 16_384)
const garbage: { what: string; bytes: string | Buffer }[] = [
  { what: 'noise', bytes: Buffer.concat([Buffer.from([0x80]), randomBytes(500)]) },
  { what: 'zeros', bytes: Buffer.alloc(300) },
  { what: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.6\r\n' },
  { what: 'an SSL 2 hello', bytes: Buffer.from('802e0100020015000000100100800200800300800400800500800600400700c0', 'hex') },
  { what: 'an alert', bytes: Buffer.from([21, 3, 1, 0, 2, 2, 40]) },
  { what: 'a ServerHello', bytes: changed(hello, 5, 2) },
  { what: 'a record that is too long', bytes: Buffer.from([22, 3, 1, 0xff, 0xff, 1, 0, 0, 10]) },
  { what: 'application data before any handshake', bytes: Buffer.concat([Buffer.from([23, 3, 3, 1, 0]), randomBytes(256)]) },
  { what: 'a list of ciphers that is longer than its message', bytes: changed(changed(hello, 76, 0xff), 77, 0xff) },
  { what: 'a ClientHello that is longer than any may be', bytes: endless },
]

for (const { what, bytes } of garbage) {
  test(`${what} is closed at once and counted, and no server sees it`, async (t) => {
    const before = board.refusals(WEB).tlsHandshake
    const seen = server.connections
    const client = await connect(t, weir.port())
    client.send(bytes)
    const { ms } = await timed(client.reader.takeRest(3_000))
    assert.ok(ms < 1_000, `closed after ${ms} ms`)
    assert.equal(board.refusals(WEB).tlsHandshake, before + 1)
    assert.ok(server.connections <= seen + 1)
    await works(t)
  })
}

test('the log tells about a failed handshake who it was, and why, and never a secret', async (t) => {
  const told = async () => {
    const client = await connect(t, weir.port())
    client.send(Buffer.alloc(300))
    await client.reader.takeRest()
    return /listener web: closed a connection from 127\.0\.0\.1: .*TLS handshake.*: \w+/.test(weir.log())
  }
  await until(told, { within: 8_000, what: 'a line about a failed handshake' })
  assert.ok(!weir.log().includes('PRIVATE KEY'))
})

test('a name for which there is no certificate is counted by itself', async (t) => {
  await assert.rejects(secureClient(t, weir.port('strict'), { ca: ca.cert, servername: 'nobody.test' }))
  const { unknownName, tlsHandshake } = board.refusals(STRICT)
  assert.deepEqual([unknownName, tlsHandshake], [1, 0])
})

for (const { what, bytes } of [
  { what: 'half a ClientHello and then silence', bytes: hello.subarray(0, hello.length >> 1) },
  { what: 'a whole ClientHello and then silence', bytes: hello },
]) {
  test(`${what} is closed after timeouts.handshake, and counted`, async (t) => {
    const before = board.refusals(IMPATIENT)
    const client = await connect(t, weir.port('impatient'))
    client.send(bytes)
    const { ms } = await timed(client.reader.takeRest(3_000))
    assert.ok(ms > 400 && ms < 1_500, `closed after ${ms} ms`)
    const after = board.refusals(IMPATIENT)
    assert.equal(after.tlsHandshake + after.tooSlow, before.tlsHandshake + before.tooSlow + 1)
  })
}

test('a ClientHello that trickles in does not extend its time', async (t) => {
  const client = await connect(t, weir.port('impatient'))
  let at = 0
  const timer = setInterval(() => client.send(hello.subarray(at, ++at)), 50)
  t.after(() => clearInterval(timer))
  const { ms } = await timed(client.reader.takeRest(3_000))
  assert.ok(ms > 400 && ms < 1_500, `closed after ${ms} ms`)
})

test('a session that began in time is not ended by timeouts.handshake', async (t) => {
  const client = await secureClient(t, weir.port('impatient'), { ca: ca.cert, servername: 'a.test' })
  const silent = await connect(t, weir.port('impatient'))
  await silent.expectClosed(3_000)
  client.request('GET /')
  assert.equal((await client.readResponse()).text, 'here')
})

test('a client that asks to renegotiate is refused, and cannot go on', async (t) => {
  if (needsTools(t, ['openssl']) === undefined) return
  const text = await renegotiate(weir.port(), ['-servername', 'a.test'])
  assert.match(text, /RENEGOTIATING/)
  assert.match(text, /no renegotiation|closed|unexpected|handshake failure/i)
  await works(t)
})

test('garbage inside a session ends it with an alert, and the server sees no end of a request', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await secureClient(t, weir.port(), { ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version })
    client.request('POST /half', { 'Content-Length': '100' }, 'half')
    await until(() => server.seen.some(({ url }) => url === '/half'))
    client.raw.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 64]), randomBytes(64)]))
    await client.reader.takeRest()
    server.seen.length = 0
  }
  await works(t)
  assert.ok(!whole.includes('/half'))
})

test('a thousand such connections leave no memory behind', async (t) => {
  const worker = weir.workerPids()[0] as number
  const round = async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(t, weir.port())))
    clients.forEach((client, i) => client.send((garbage[i % garbage.length] as (typeof garbage)[0]).bytes))
    await Promise.all(clients.map((client) => client.reader.takeRest().catch(() => undefined)))
    for (const client of clients) client.socket.destroy()
  }
  for (let i = 0; i < 5; i++) await round()
  const before = residentBytes(worker)
  for (let i = 0; i < 20; i++) await round()
  const grown = residentBytes(worker) - before
  assert.ok(grown < 8 * 1024 * 1024, `grew by ${grown} bytes`)
  await works(t)
})
