// Sessions are resumed by whichever worker gets the connection, before and after a reload and an upgrade.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
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

type Version = 'TLSv1.2' | 'TLSv1.3'
const VERSIONS: Version[] = ['TLSv1.2', 'TLSv1.3']
const optionsOf = (version: Version) => ({ ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version })

/** So many first handshakes, and the session of each. */
async function sessions(t: TestContext, weir: Balancer, version: Version, count: number): Promise<Buffer[]> {
  const found: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const { client } = await askSecurely(t, weir.port(), optionsOf(version))
    const session = client.session()
    assert.ok(session !== undefined, `${version}: no session to resume`)
    found.push(session)
  }
  return found
}

/** How many of these sessions are resumed, each once. */
async function resumed(t: TestContext, weir: Balancer, version: Version, kept: readonly Buffer[]): Promise<number> {
  let count = 0
  for (const session of kept) {
    const { status, client } = await askSecurely(t, weir.port(), { ...optionsOf(version), session })
    assert.equal(status, 200)
    if (client.isResumed) count++
  }
  return count
}

for (const version of VERSIONS) {
  test(`${version}: at least ${LEAST} of ${ATTEMPTS} sessions are resumed over two workers, and counted`, {
    timeout: 60_000,
  }, async (t) => {
    const weir = await startBalancer(t, settings())
    const kept = await sessions(t, weir, version, ATTEMPTS)
    const count = await resumed(t, weir, version, kept)
    assert.ok(count >= LEAST, `${count} of ${ATTEMPTS} were resumed`)
    const board = boardOf(weir)
    assert.equal(board.listener(0, 'tlsHandshakes'), 2 * ATTEMPTS)
    assert.equal(board.listener(0, 'tlsResumed'), count)
    assert.ok(weir.workerPids().length === 2, 'two workers')
  })
}

test('sessions live on over reloads that change something else, and over upgrades', { timeout: 90_000 }, async (t) => {
  const weir = await startBalancer(t, settings(), { losesProcesses: true })
  const line = upgradeLine(t, weir)
  for (const version of VERSIONS) {
    const kept = await sessions(t, weir, version, ATTEMPTS)
    rewriteConfig(weir, settings({}, { timeouts: { firstByte: version === 'TLSv1.2' ? '21s' : '22s' } }))
    assert.equal((await command(weir, 'reload')).code, 0)
    const afterReload = await resumed(t, weir, version, kept.slice(0, ATTEMPTS / 2))
    await line.upgrade()
    const afterUpgrade = await resumed(t, weir, version, kept.slice(ATTEMPTS / 2))
    assert.ok(afterReload + afterUpgrade >= LEAST, `${version}: ${afterReload} after the reload, ${afterUpgrade} after the upgrade`)
  }
})

test('without tickets, sessions of TLS 1.2 are resumed by their id in the worker that has them, and those of 1.3 are not', async (t) => {
  const weir = await startBalancer(t, settings({ tickets: 'off' }), { workers: 1 })
  const kept = await sessions(t, weir, 'TLSv1.2', 20)
  assert.equal(await resumed(t, weir, 'TLSv1.2', kept), 20)
  const { client } = await askSecurely(t, weir.port(), optionsOf('TLSv1.3'))
  assert.equal(client.session(), undefined)
})

test('a client that wants no ticket is resumed by its session id', async (t) => {
  if (needsTools(t, ['openssl']) === undefined) return
  const weir = await startBalancer(t, settings(), { workers: 1 })
  const path = `${folderFor(t, 'session')}/session.pem`
  const args = ['-servername', 'a.test', '-CAfile', ca.path, '-tls1_2', '-no_ticket']
  const first = await sClient(weir.port(), [...args, '-sess_out', path], GET)
  assert.deepEqual([first.isAgreed, first.isResumed], [true, false], first.text)
  for (let i = 0; i < 10; i++) {
    const next = await sClient(weir.port(), [...args, '-sess_in', path], GET)
    assert.deepEqual([next.isResumed, next.isVerified], [true, true], next.text)
  }
})

test('a session of another process is not resumed, and the client is served all the same', async (t) => {
  const [one, other] = [await startBalancer(t, settings()), await startBalancer(t, settings())]
  for (const version of VERSIONS) {
    const kept = await sessions(t, one, version, 3)
    assert.equal(await resumed(t, other, version, kept), 0)
  }
})
