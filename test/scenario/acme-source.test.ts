/** The source of ACME certificates alone, against a real server; node answers the challenges. The whole balancer: acme.test.ts. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSecureContext, createServer as createTlsServer, type SecureContext } from 'node:tls'
import { acmeSource, type Patience } from '../../src/primary/tls/acme/acme-source.ts'
import type { CertificateSource } from '../../src/primary/tls/certificate-source.ts'
import type { AcmeConfig } from '../../src/shared/config/tls-model.ts'
import { needsPebble, type Pebble, startPebble } from './lib/pebble.ts'
import { folderFor } from './lib/tools.ts'
import { until } from './lib/wait.ts'

const HASTE: Partial<Patience> = { backoff: { firstMs: 100, mostMs: 200 }, spreadMs: 0, lockedMs: 50 }
const ISSUED_WITHIN = { within: 20_000 }

interface Running {
  source: CertificateSource
  lines: string[]
}

function run(t: TestContext, config: Omit<AcmeConfig, 'listener' | 'email'>, patience: Partial<Patience> = {}): Running {
  const lines: string[] = []
  const events = { changed: () => undefined, log: (line: string) => void lines.push(line) }
  const source = acmeSource({ listener: 'web', email: 'anna@a.example', ...config }, events, { ...HASTE, ...patience })
  t.after(() => source.close())
  return { source, lines }
}

/** Answers HTTP-01 with the tokens of a source. */
async function httpResponder(t: TestContext): Promise<{ port: number; of(source: CertificateSource): void }> {
  const sources: CertificateSource[] = []
  const server = createHttpServer(({ url = '' }, response) => {
    const token = url.replace('/.well-known/acme-challenge/', '')
    const answer = sources.map((source) => source.tokens()[token]).find((found) => found !== undefined)
    response.writeHead(answer === undefined ? 404 : 200, { Connection: 'close' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return { port: (server.address() as AddressInfo).port, of: (source) => void sources.push(source) }
}

/** Answers TLS-ALPN-01 with the challenge certificates of a source. */
async function tlsResponder(t: TestContext): Promise<{ port: number; of(source: CertificateSource): void }> {
  let current: CertificateSource | undefined
  const contextFor = (asked: string): SecureContext | undefined => {
    const found = current?.challenges().find(({ name }) => name === asked)?.certificate
    return found && createSecureContext({ cert: found.chain, key: found.key })
  }
  const server = createTlsServer({ ALPNProtocols: ['acme-tls/1'], SNICallback: (name, done) => done(null, contextFor(name)) })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return {
    port: (server.address() as AddressInfo).port,
    of: (source) => {
      current = source
    },
  }
}

const chainOf = ({ source }: Running) => source.current()[0]?.chain
const hasCertificate = (running: Running) => () => chainOf(running) !== undefined
const issuedBy = (pebble: Pebble) => pebble.log().match(/Issued certificate serial/g)?.length ?? 0

test('http-01: one certificate for all names, though one nonce in six is refused; the next start has it at once', async (t) => {
  const tools = needsPebble(t)
  if (tools === undefined) return
  const http = await httpResponder(t)
  const pebble = await startPebble(t, tools, { httpPort: http.port, badNonces: 15 })
  const storage = folderFor(t, 'acme')
  const config = { ...pebble, domains: ['a.example', 'b.example'], storage, challenge: 'http-01' as const, renewBefore: 1 / 3 }
  const first = run(t, config)
  http.of(first.source)
  first.source.start()
  await until(hasCertificate(first), ISSUED_WITHIN)
  const leaf = new X509Certificate(chainOf(first) ?? '')
  assert.equal(leaf.subjectAltName?.split(', ').sort().join(), 'DNS:a.example,DNS:b.example')
  assert.ok(leaf.checkHost('b.example'))
  assert.match(first.lines.join('\n'), /^listener web: got a certificate for a\.example and b\.example from localhost:\d+, good until /)
  await until(() => Object.keys(first.source.tokens()).length === 0)

  const [folder = ''] = readdirSync(storage)
  // The lock goes last: the certificate is there, and in force, before that.
  const files = await until(() => {
    const names = readdirSync(join(storage, folder))
    return names.some((name) => name.endsWith('.lock')) ? null : names
  })
  assert.deepEqual(
    files.filter((name) => !/^(account\.json|a\.example-\w+\.pem)$/.test(name)),
    [],
  )
  for (const name of files) assert.equal(statSync(join(storage, folder, name)).mode & 0o777, 0o600, name)

  await pebble.kill()
  const second = run(t, config)
  second.source.start()
  assert.equal(chainOf(second), chainOf(first))
  assert.deepEqual(second.lines, [])
})

test('tls-alpn-01: renewed in time, served on while the server is away, and renewed when it is back and knows nobody', async (t) => {
  const tools = needsPebble(t)
  if (tools === undefined) return
  const tls = await tlsResponder(t)
  const pebble = await startPebble(t, tools, { tlsPort: tls.port, lifeSeconds: 30 })
  // Nearly all of its life is left; a tenth of it has to be over all the same.
  const config = { ...pebble, domains: ['a.example'], challenge: 'tls-alpn-01' as const, renewBefore: 0.999 }
  const running = run(t, { ...config, storage: folderFor(t, 'acme') })
  tls.of(running.source)
  running.source.start()
  await until(hasCertificate(running), ISSUED_WITHIN)
  const first = chainOf(running)
  const renewed = await until(() => chainOf(running) !== first && chainOf(running), ISSUED_WITHIN)
  assert.equal(running.source.challenges().length, 0)

  await pebble.kill()
  await until(() => running.lines.filter((line) => /no new certificate/.test(line)).length >= 2, ISSUED_WITHIN)
  assert.match(
    running.lines.at(-1) ?? '',
    /a\.example: cannot ask localhost:\d+: it refuses connections; the old one is good until .*; next try in 1 s$/,
  )
  assert.equal(chainOf(running), renewed)
  await pebble.restart()
  await until(() => chainOf(running) !== renewed, ISSUED_WITHIN)
})

test('a name that cannot be proved is told with the reason; when it can, the certificate comes', async (t) => {
  const tools = needsPebble(t)
  if (tools === undefined) return
  const http = await httpResponder(t)
  const pebble = await startPebble(t, tools, { httpPort: http.port })
  const config = { ...pebble, domains: ['a.example'], challenge: 'http-01' as const, renewBefore: 1 / 3 }
  const running = run(t, { ...config, storage: folderFor(t, 'acme') })
  running.source.start()
  await until(() => running.lines.length > 0, ISSUED_WITHIN)
  assert.match(
    running.lines[0] ?? '',
    /^listener web: no new certificate for a\.example: http-01 for a\.example failed: .*404.*; there is none yet; next try/,
  )
  http.of(running.source)
  await until(hasCertificate(running), ISSUED_WITHIN)
})

test('two that share a folder order once', async (t) => {
  const tools = needsPebble(t)
  if (tools === undefined) return
  const http = await httpResponder(t)
  const pebble = await startPebble(t, tools, { httpPort: http.port })
  const config = { ...pebble, domains: ['a.example'], challenge: 'http-01' as const, renewBefore: 1 / 3, storage: folderFor(t, 'acme') }
  const both = [run(t, config), run(t, config)]
  for (const { source } of both) {
    http.of(source)
    source.start()
  }
  await until(() => both.every((running) => hasCertificate(running)()), ISSUED_WITHIN)
  assert.equal(new Set(both.map(chainOf)).size, 1)
  assert.equal(issuedBy(pebble), 1, pebble.log())
})
