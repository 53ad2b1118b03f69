// Sessions are resumed by whichever worker gets the connection, before and after a reload and an upgrade.
import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { type Balancer, rewriteConfig, startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { authority } from './lib/certificates.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { askSecurely } from './lib/tls.ts'
import { sClient } from './lib/tls-programs.ts'
import { folderFor, needsTools } from './lib/tools.ts'
import { upgradeLine } from './lib/upgrade-line.ts'

// Chosen so high that a worker that does not know the sessions of the other one is noticed at once.
const ATTEMPTS = 100
const LEAST = 99
const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'

const ca = await authority(file)
const certificate = await ca.issue({ names: ['a.test'] })
const server = await startServer(file, (_req, res) => void res.end('here'))

function settings(tls: Record<string, unknown> = {}, upstream: Record<string, unknown> = {}): Record<string, unknown> {
  const certificates = [{ cert: certificate.path, key: certificate.keyPath }]
  return config({
    servers: [server.address],
    upstream,
    listener: { protocol: 'https', tls: { certificates, ...tls } },
    top: { workers: 2 },
  })
}

interface Way {
  what: string
  options: ConnectionOptions
}

const clientOf = (version: 'TLSv1.2' | 'TLSv1.3') => ({ ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version })
const TICKETS: Way[] = [
  { what: 'TLS 1.2', options: clientOf('TLSv1.2') },
  { what: 'TLS 1.3', options: clientOf('TLSv1.3') },
]
const BY_ID: Way = { what: 'TLS 1.2 by session id', options: { ...clientOf('TLSv1.2'), secureOptions: constants.SSL_OP_NO_TICKET } }

/** So many first handshakes, and the session of each. */
async function sessions(t: TestContext, weir: Balancer, { what, options }: Way, count: number): Promise<Buffer[]> {
  return inTurns(Array.from({ length: count }), async () => {
    const { client } = await askSecurely(t, weir.port(), options)
    const session = client.session()
    assert.ok(session !== undefined, `${what}: no session to resume`)
    return session
  })
}

/** How many of these sessions are resumed, each once. */
async function resumed(t: TestContext, weir: Balancer, { options }: Way, kept: readonly Buffer[]): Promise<number> {
  const are = await inTurns(kept, async (session) => {
    const { status, client } = await askSecurely(t, weir.port(), { ...options, session })
    assert.equal(status, 200)
    return client.isResumed
  })
  return are.filter(Boolean).length
}

/** Ten at a time. */
async function inTurns<From, To>(all: readonly From[], act: (one: From) => Promise<To>): Promise<To[]> {
  const done: To[] = []
  for (let i = 0; i < all.length; i += 10) done.push(...(await Promise.all(all.slice(i, i + 10).map(act))))
  return done
}

for (const way of [...TICKETS, BY_ID]) {
  test(`${way.what}: at least ${LEAST} of ${ATTEMPTS} sessions are resumed over two workers, and counted`, {
    timeout: 60_000,
  }, async (t) => {
    const weir = await startBalancer(t, settings())
    const kept = await sessions(t, weir, way, ATTEMPTS)
    const count = await resumed(t, weir, way, kept)
    assert.ok(count >= LEAST, `${count} of ${ATTEMPTS} were resumed`)
    const board = boardOf(weir)
    assert.equal(board.listener(0, 'tlsHandshakes'), 2 * ATTEMPTS)
    assert.equal(board.listener(0, 'tlsResumed'), count)
    assert.equal(weir.workerPids().length, 2)
  })
}

test('sessions live on over reloads that change something else, and over upgrades', { timeout: 90_000 }, async (t) => {
  const weir = await startBalancer(t, settings(), { losesProcesses: true })
  const line = upgradeLine(t, weir)
  for (const [i, way] of TICKETS.entries()) {
    const kept = await sessions(t, weir, way, ATTEMPTS)
    rewriteConfig(weir, settings({}, { timeouts: { firstByte: `${21 + i}s` } }))
    assert.equal((await command(weir, 'reload')).code, 0)
    const afterReload = await resumed(t, weir, way, kept.slice(0, ATTEMPTS / 2))
    await line.upgrade()
    const afterUpgrade = await resumed(t, weir, way, kept.slice(ATTEMPTS / 2))
    assert.ok(afterReload + afterUpgrade >= LEAST, `${way.what}: ${afterReload} after the reload, ${afterUpgrade} after the upgrade`)
  }
})

test('with tickets off, sessions of TLS 1.2 are resumed by their id', async (t) => {
  const weir = await startBalancer(t, settings({ tickets: 'off' }))
  const [older] = TICKETS as [Way, Way]
  const kept = await sessions(t, weir, older, 20)
  assert.equal(await resumed(t, weir, older, kept), 20)
})

test("OpenSSL's client resumes with a ticket and, with -no_ticket, by its session id", async (t) => {
  if (needsTools(t, ['openssl']) === undefined) return
  const weir = await startBalancer(t, settings())
  const path = join(folderFor(t, 'session'), 'session.pem')
  for (const way of [['-tls1_2'], ['-tls1_3'], ['-tls1_2', '-no_ticket']]) {
    const args = ['-servername', 'a.test', '-CAfile', ca.path, ...way]
    const first = await sClient(weir.port(), [...args, '-sess_out', path], GET)
    assert.deepEqual([first.isAgreed, first.isResumed], [true, false], first.text)
    for (let i = 0; i < 4; i++) {
      const next = await sClient(weir.port(), [...args, '-sess_in', path], GET)
      assert.deepEqual([next.isResumed, next.isVerified], [true, true], next.text)
    }
  }
})

test('a session of another balancer is not resumed, and the client is served all the same', async (t) => {
  const [one, other] = [await startBalancer(t, settings()), await startBalancer(t, settings())]
  for (const way of [...TICKETS, BY_ID]) {
    const kept = await sessions(t, one, way, 3)
    assert.equal(await resumed(t, other, way, kept), 0)
  }
})
