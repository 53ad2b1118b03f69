// What is not a ClientHello, or not in time, is closed with a reason in the log, and costs nobody else anything.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { makeCertificate } from './lib/certificates.ts'
import { connect } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { descriptors } from './lib/processes.ts'
import { captureHello, connectTls, recordsOf, tlsServer } from './lib/tls-peers.ts'
import { type Scope, timed, until } from './lib/wait.ts'

const certificate = await makeCertificate(file, 'a.test')
const server = await tlsServer(file, 'a', certificate)
const tls = { protocol: 'tls', bind: '127.0.0.1:0', upstream: 'app' }
const listeners = { web: { ...tls, timeouts: { header: '10s' } }, impatient: { ...tls, timeouts: { header: '500ms' } } }
// Their places in the config.
const WEB = 0
const IMPATIENT = 1
const weir = await startBalancer(file, tcpConfig({ servers: [server.address], top: { listeners } }))
const hello = await captureHello(file, { servername: 'a.test' })

/** Waits for a log line with this reason after `since` characters of the log; lines are limited per second, so `again` asks again. */
async function told(reason: RegExp, since: number, again: () => Promise<void>): Promise<void> {
  const isTold = async () => {
    if (reason.test(weir.log().slice(since))) return true
    await again()
    return false
  }
  await until(isTold, { within: 8_000, what: `a log line that says ${reason}` })
}

async function expectClosedAtOnce(scope: Scope, bytes: string | Uint8Array, { thenEnd = false } = {}): Promise<void> {
  const client = await connect(scope, weir.port())
  client.send(bytes)
  if (thenEnd) client.end()
  const { ms } = await timed(client.expectClosed(3_000))
  assert.ok(ms < 1_000, `closed after ${ms} ms`)
}

async function works(scope: Scope): Promise<void> {
  const client = await connectTls(scope, weir.port(), { ca: [certificate.cert], servername: 'a.test' })
  assert.equal(await client.reader.takeUntil('\n'), 'a\n')
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

// A message that announces more than may ever come.
const endless = recordsOf(Buffer.concat([Buffer.from([1, 0xff, 0xff, 0xff, 3, 3]), Buffer.alloc(80_000)]), 16_384)

for (const { what, bytes } of [
  { what: 'plain HTTP', bytes: 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n' },
  { what: 'noise', bytes: Buffer.concat([Buffer.from([0x80]), randomBytes(500)]) },
  { what: 'zeros', bytes: Buffer.alloc(300) },
  { what: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.6\r\n' },
  { what: 'an SSL 2 hello', bytes: Buffer.from('802e0100020015000000100100800200800300800400800500800600400700c0', 'hex') },
  { what: 'a TLS alert', bytes: Buffer.from([21, 3, 1, 0, 2, 2, 40]) },
  { what: 'a ServerHello', bytes: changed(hello, 5, 2) },
  { what: 'an empty record', bytes: Buffer.from([22, 3, 1, 0, 0]) },
  { what: 'a record that is too long', bytes: Buffer.from([22, 3, 1, 0xff, 0xff, 1, 0, 0, 10]) },
  { what: 'a list of ciphers that is longer than its message', bytes: changed(changed(hello, 76, 0xff), 77, 0xff) },
  { what: 'a message that is longer than any may be', bytes: endless },
]) {
  test(`${what} is closed at once, counted and told in the log, and no server sees it`, async (t) => {
    const since = weir.log().length
    const { clientHello } = boardOf(weir).refusals(WEB)
    const sessions = server.sessions
    await expectClosedAtOnce(t, bytes)
    assert.equal(boardOf(weir).refusals(WEB).clientHello, clientHello + 1)
    await told(/listener web: closed a connection from 127\.0\.0\.1: no valid ClientHello: \w/, since, () => expectClosedAtOnce(t, bytes))
    assert.equal(server.sessions, sessions)
    await works(t)
  })
}

test('a ClientHello that is cut anywhere and then ends is closed at once', async (t) => {
  const since = weir.log().length
  for (const length of [1, 4, 5, 6, 43, 100, hello.length - 1]) await expectClosedAtOnce(t, hello.subarray(0, length), { thenEnd: true })
  await told(/no valid ClientHello: it ended in the ClientHello/, since, () =>
    expectClosedAtOnce(t, hello.subarray(0, 50), { thenEnd: true }),
  )
})

test('whoever connects, says nothing and leaves is not worth a line', async (t) => {
  const board = boardOf(weir)
  const before = board.refusals(WEB)
  for (const how of ['end', 'reset'] as const) {
    const client = await connect(t, weir.port())
    client[how]()
    if (how === 'end') await client.expectClosed()
  }
  await works(t)
  assert.deepEqual(board.refusals(WEB), before)
})

for (const { what, bytes } of [
  { what: 'half a ClientHello and then silence', bytes: hello.subarray(0, hello.length >> 1) },
  { what: 'one byte and then silence', bytes: hello.subarray(0, 1) },
  { what: 'nothing at all', bytes: Buffer.alloc(0) },
]) {
  test(`${what} is closed after timeouts.header, counted and told in the log`, async (t) => {
    const since = weir.log().length
    const { tooSlow } = boardOf(weir).refusals(IMPATIENT)
    const wait = async () => {
      const client = await connect(t, weir.port('impatient'))
      client.send(bytes)
      const { ms } = await timed(client.expectClosed(3_000))
      assert.ok(ms > 400 && ms < 1_500, `closed after ${ms} ms`)
    }
    await wait()
    assert.equal(boardOf(weir).refusals(IMPATIENT).tooSlow, tooSlow + 1)
    await told(/listener impatient: closed a connection from 127\.0\.0\.1: too slow: no ClientHello in time/, since, wait)
  })
}

test('a ClientHello that trickles in does not extend its time', async (t) => {
  const client = await connect(t, weir.port('impatient'))
  let at = 0
  const timer = setInterval(() => client.send(hello.subarray(at, ++at)), 50)
  t.after(() => clearInterval(timer))
  const { ms } = await timed(client.reader.takeRest(3_000))
  assert.ok(ms > 400 && ms < 1_500, `closed after ${ms} ms`)
  assert.ok(at < hello.length)
})

test('a session that began in time is not ended by timeouts.header', async (t) => {
  const client = await connectTls(t, weir.port('impatient'), { ca: [certificate.cert], servername: 'a.test' })
  await client.reader.takeUntil('\n')
  const silent = await connect(t, weir.port('impatient'))
  await silent.expectClosed(3_000)
  client.socket.write('still here')
  assert.equal((await client.reader.take(10)).toString(), 'still here')
})

test('a thousand such connections leave no descriptor behind', async (t) => {
  const worker = weir.workerPids()[0] as number
  const before = descriptors(worker).all
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(t, weir.port())))
    clients.forEach((client, i) => {
      if (i % 3 === 0) client.reset()
      else client.send(i % 3 === 1 ? 'garbage' : hello.subarray(0, 50))
      if (i % 3 === 2) client.end()
    })
    await Promise.all(clients.map((client, i) => (i % 3 === 0 ? undefined : client.reader.takeRest())))
  }
  await until(() => descriptors(worker).all <= before, { what: `no more than ${before} descriptors` })
  await works(t)
})
