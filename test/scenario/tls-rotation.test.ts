// Certificates are replaced on disk while clients are served. TLS_ROTATIONS=100 TLS_RATE=1000 is the long run.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { authority, type Certificate, copyTo, replaceFile, replaceFiles } from './lib/certificates.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { secureClient } from './lib/tls.ts'
import { startTlsLoad } from './lib/tls-load.ts'
import { folderFor } from './lib/tools.ts'
import { type Scope, timed, until } from './lib/wait.ts'

const ROTATIONS = Number(process.env['TLS_ROTATIONS'] ?? 10)
const RATE = Number(process.env['TLS_RATE'] ?? 300)

const ca = await authority(file)
const server = await startServer(file, (req, res) => void res.end(req.url))
const make = () => ca.issue({ names: ['a.test'] })

function settings(files: { path: string; keyPath: string }): Record<string, unknown> {
  return config({
    servers: [server.address],
    listener: { protocol: 'https', tls: { certificates: [{ cert: files.path, key: files.keyPath }] } },
    top: { workers: 2 },
  })
}

/** The serial number of the certificate that a new client is shown. */
async function shown(scope: Scope, weir: Balancer): Promise<string> {
  const client = await secureClient(scope, weir.port(), { ca: ca.cert, servername: 'a.test' })
  const { serialNumber } = client.tls.getPeerCertificate()
  client.socket.destroy()
  return serialNumber.toLowerCase()
}

/** All of several new clients, so that every worker is asked. */
async function allAreShown(t: TestContext, weir: Balancer, { serialNumber }: Certificate): Promise<boolean> {
  const serials = await Promise.all(Array.from({ length: 6 }, () => shown(t, weir)))
  return serials.every((serial) => serial === serialNumber)
}

test(`${ROTATIONS} rotations under ${RATE} requests/s: no error, and within 1 s everybody gets the new one`, {
  timeout: 400_000,
}, async (t) => {
  const folder = folderFor(t, 'rotation')
  const files = copyTo(folder, 'site', await make())
  const weir = await startBalancer(t, settings(files))
  const load = startTlsLoad(t, { port: weir.port(), rate: RATE, ca: ca.cert, servername: 'a.test' })
  await until(() => load.answered > RATE / 2, { within: 10_000, what: 'the load runs' })
  const took: number[] = []
  for (let i = 0; i < ROTATIONS; i++) {
    const next = await make()
    replaceFiles(files, next)
    const { ms } = await timed(until(() => allAreShown(t, weir, next), { what: 'the new certificate is shown' }))
    took.push(ms)
  }
  await load.stop()
  t.diagnostic(`${load.sent} requests, ${load.handshakes} handshakes; the slowest rotation took ${Math.round(Math.max(...took))} ms`)
  assert.deepEqual(load.failures.slice(0, 5), [], `${load.failures.length} of ${load.sent} failed\n${weir.log().slice(-2_000)}`)
  assert.ok(load.answered >= RATE && load.handshakes > ROTATIONS, `only ${load.answered} answers over ${load.handshakes} handshakes`)
  // Where the machine is so busy that answers are late, so is this.
  const most = 1_000 + 2 * load.quantile(0.99)
  assert.ok(Math.max(...took) < most, `it took ${took.map(Math.round).join(', ')} ms, of ${Math.round(most)}`)
})

test('connections that are open stay open, and files that come by a swapped link are noticed', { timeout: 30_000 }, async (t) => {
  const folder = folderFor(t, 'links')
  const versions = [await make(), await make()]
  versions.forEach((one, i) => {
    mkdirSync(join(folder, String(i)))
    copyTo(join(folder, String(i)), 'site', one)
  })
  // As Kubernetes mounts secrets: the link to a folder is replaced, no file in it changes.
  const point = (to: string) => {
    symlinkSync(to, join(folder, 'now.new'))
    renameSync(join(folder, 'now.new'), join(folder, 'now'))
  }
  point('0')
  const weir = await startBalancer(t, settings({ path: join(folder, 'now', 'site.pem'), keyPath: join(folder, 'now', 'site.key') }))
  const client = await secureClient(t, weir.port(), { ca: ca.cert, servername: 'a.test' })
  point('1')
  await until(() => allAreShown(t, weir, versions[1] as Certificate), { within: 15_000, what: 'the certificate behind the new link' })
  client.request('GET /still-here')
  assert.equal((await client.readResponse()).text, '/still-here')
})

for (const { what, damage, why } of [
  {
    what: 'is no certificate',
    damage: (files: { path: string; keyPath: string }) => replaceFile(files.path, 'nothing'),
    why: /site\.pem: .*(PEM|certificate)/,
  },
  {
    what: 'has another key',
    damage: (files: { path: string; keyPath: string }, other: Certificate) => replaceFile(files.keyPath, other.key),
    why: /site\.key: .*does not (belong|match)/,
  },
]) {
  test(`a new pair that ${what} is told in the log with its file, and the old one stays until a good one comes`, async (t) => {
    const first = await make()
    const files = copyTo(folderFor(t, 'damaged'), 'site', first)
    const weir = await startBalancer(t, settings(files))
    damage(files, await make())
    await until(() => why.test(weir.log()), { within: 15_000, what: `a line like ${why}` })
    assert.ok(await allAreShown(t, weir, first))
    assert.ok(!weir.log().includes('PRIVATE KEY'))
    const good = await make()
    replaceFiles(files, good)
    await until(() => allAreShown(t, weir, good), { within: 15_000, what: 'the good pair is shown' })
  })
}

test('a file that cannot be read any more is told, and the old certificate stays', {
  skip: process.getuid?.() === 0 && 'root reads everything',
}, async (t) => {
  const first = await make()
  const files = copyTo(folderFor(t, 'unreadable'), 'site', first)
  const weir = await startBalancer(t, settings(files))
  writeFileSync(files.keyPath, '')
  chmodSync(files.keyPath, 0)
  await until(() => /site\.key: .*permission denied/i.test(weir.log()), { within: 15_000 })
  assert.ok(await allAreShown(t, weir, first))
})
