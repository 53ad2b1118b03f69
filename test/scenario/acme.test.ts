/** The whole balancer with certificates of a real ACME server: issued, served, renewed, and kept while that server is down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { freePort } from './lib/listening.ts'
import { needsPebble, startPebble } from './lib/pebble.ts'
import { startServer } from './lib/server.ts'
import { askSecurely, secureClient } from './lib/tls.ts'
import { folderFor } from './lib/tools.ts'
import { timed, until } from './lib/wait.ts'

const ISSUED = { within: 30_000 }

test('certificates are issued over both challenges, served, renewed, and outlive their server', { timeout: 120_000 }, async (t) => {
  const tools = needsPebble(t)
  if (tools === undefined) return
  const [http, first, second] = [await freePort(), await freePort(), await freePort()]
  const pebble = await startPebble(t, tools, { httpPort: http, tlsPort: first, lifeSeconds: 45, badNonces: 10 })
  const server = await startServer(t, (_req, res) => void res.end('served'))
  const storage = folderFor(t, 'acme')
  const common = { directory: pebble.directory, directoryCa: pebble.directoryCa, storage, agreeToTerms: true, email: 'anna@a.example' }
  const secure = (port: number, acme: object, host: string) => ({
    bind: `127.0.0.1:${port}`,
    protocol: 'https',
    tls: { acme: { ...common, ...acme } },
    // The names of the certificate are those of the routes.
    routes: [{ match: { host }, upstream: 'app' }],
  })
  const listeners = {
    web: { bind: `127.0.0.1:${http}`, protocol: 'http', routes: [{ match: {}, redirect: { to: '/elsewhere', status: 302 } }] },
    first: secure(first, { challenge: 'tls-alpn-01', renewBefore: '90%' }, 'a.example'),
    second: secure(second, { challenge: 'http-01' }, 'b.example'),
  }
  const settings = config({ servers: [server.address], top: { workers: 2, listeners } })
  const weir = await startBalancer(t, settings)
  const root = await pebble.root()
  const of = (name: string) => ({ ca: root, servername: name })
  const ask = (port: number, name: string) => askSecurely(t, port, of(name), { Host: name })
  const serial = async () => {
    const client = await secureClient(t, first, of('a.example'))
    const { serialNumber } = client.tls.getPeerCertificate()
    client.socket.destroy()
    return serialNumber
  }

  for (const [port, name] of [
    [first, 'a.example'],
    [second, 'b.example'],
  ] as const) {
    const { status, text } = await until(() => ask(port, name), { ...ISSUED, what: `${name} has its certificate` })
    assert.deepEqual([status, text], [200, 'served'], weir.log())
  }

  const plain = await connect(t, http)
  for (const request of ['GET /.well-known/acme-challenge/unknown', 'POST /.well-known/acme-challenge/unknown', 'GET /']) {
    plain.request(request, { 'Content-Length': '0' })
    assert.equal((await plain.readResponse()).status, 302, request)
  }

  const old = await serial()
  await until(async () => (await serial()) !== old, { ...ISSUED, what: 'a renewed certificate is served' })

  await pebble.kill()
  assert.equal((await ask(second, 'b.example')).text, 'served')
  await weir.stop()
  const again = await timed(startBalancer(t, settings))
  assert.equal((await ask(second, 'b.example')).text, 'served', again.value.log())
  const logs = weir.log() + again.value.log()
  assert.match(logs, /listener second: got a certificate for b\.example from localhost:\d+, good until /)
  assert.doesNotMatch(logs, /PRIVATE KEY|"key"/)
})

test('while no certificate can be had, the balancer is up and says why', async (t) => {
  const nobody = await freePort()
  const acme = { domains: ['a.example'], directory: `https://localhost:${nobody}/dir`, storage: folderFor(t, 'acme'), agreeToTerms: true }
  const server = await startServer(t, (_req, res) => void res.end('served'))
  const weir = await startBalancer(t, config({ servers: [server.address], listener: { protocol: 'https', tls: { acme } } }))
  await until(() => /no new certificate for a\.example: cannot ask localhost:\d+: it refuses connections; .*next try in/.test(weir.log()))
  const client = await secureClient(t, weir.port(), { rejectUnauthorized: false })
  assert.equal(client.commonName, 'weir: no certificate yet')
  client.request('GET /')
  assert.equal((await client.readResponse()).text, 'served')
})
