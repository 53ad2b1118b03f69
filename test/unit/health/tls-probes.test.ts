import assert from 'node:assert/strict'
import { type AddressInfo, createServer as createPlain, type Server } from 'node:net'
import { after, test } from 'node:test'
import { createServer, type TlsOptions } from 'node:tls'
import type { ProbeConfig } from '../../../src/primary/health/probe.ts'
import { httpProber } from '../../../src/primary/health/probe-http.ts'
import { probeTcp } from '../../../src/primary/health/probe-tcp.ts'
import type { HealthConfig } from '../../../src/shared/config/model.ts'
import type { CommonTls } from '../../../src/shared/ipc/tls-material.ts'
import { make } from '../tls/lib/make-certificate.ts'

const root = await make({ subject: 'root', isAuthority: true })
const good = await make({ names: ['good.example', '127.0.0.1'], by: root })
const stale = await make({ names: ['good.example'], by: root, fromMs: -2e8, untilMs: -1e8 })
const client = await make({ names: ['client.example'], by: root })

const prober = httpProber()
const closing: Server[] = []
after(() => {
  prober.close()
  for (const server of closing) server.close()
})

/** Answers every request with 200; counts connections. */
async function server(options: TlsOptions): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const made = createServer(options, (socket) => {
    connections++
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    socket.on('error', () => {})
  })
  made.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  closing.push(made)
  return { port: (made.address() as AddressInfo).port, connections: () => connections }
}

const tlsOf = ({ key, cert }: { key: string; cert: string }): TlsOptions => ({ key, cert })

function probeConfig(kind: 'http' | 'tcp', serverName: string, differs: Partial<CommonTls> = {}): ProbeConfig {
  const http: HealthConfig['check'] = {
    kind: 'http',
    path: '/',
    method: 'GET',
    host: null,
    headers: [],
    statuses: [[200, 399]],
    body: null,
    softStop: null,
  }
  const common: CommonTls = {
    verify: true,
    ca: root.cert,
    certificate: null,
    minVersion: 0x0303,
    maxVersion: 0x0304,
    ciphers: '',
    cipherSuites: '',
    groups: '',
    ...differs,
  }
  const tls = { id: `${serverName} ${JSON.stringify(differs)}`, serverName, common }
  return { check: kind === 'http' ? http : { kind: 'tcp' }, authority: 'a', sendProxyProtocol: 'off', tls: { now: () => tls } }
}

async function ask(port: number, config: ProbeConfig, timeoutMs = 2_000): Promise<string> {
  const probe = config.check.kind === 'http' ? prober.probe : probeTcp
  const { ok, code, reason } = await probe({ ip: '127.0.0.1', port }, config, timeoutMs, new AbortController().signal)
  return `${ok ? 'passed' : 'failed'} ${code}: ${reason}`
}

test('a check over TLS verifies the server by its name or address, and keeps its connection', async () => {
  const { port, connections } = await server(tlsOf(good))
  const config = probeConfig('http', 'good.example')
  assert.equal(await ask(port, config), 'passed L7OK: status 200')
  assert.equal(await ask(port, config), 'passed L7OK: status 200')
  assert.equal(connections(), 1)
  assert.equal(await ask(port, probeConfig('http', '127.0.0.1')), 'passed L7OK: status 200')
  assert.equal(connections(), 2)
  assert.equal(await ask(port, probeConfig('tcp', 'good.example')), 'passed L6OK: TLS connected')
})

test('a server that is not who it should be fails its check, with words', async () => {
  const [right, old] = [await server(tlsOf(good)), await server(tlsOf(stale))]
  for (const kind of ['http', 'tcp'] as const) {
    assert.equal(await ask(right.port, probeConfig(kind, 'other.example')), 'failed L6RSP: its certificate is for another name')
    assert.match(
      await ask(right.port, probeConfig(kind, 'good.example', { ca: client.cert })),
      /failed L6RSP: its certificate is of an authority that/,
    )
    assert.equal(await ask(old.port, probeConfig(kind, 'good.example')), 'failed L6RSP: its certificate has expired')
    assert.match(await ask(right.port, probeConfig(kind, 'other.example', { verify: false, ca: '' })), /^passed/)
  }
})

test('a client certificate is shown to a server that wants one', async () => {
  const { port } = await server({ ...tlsOf(good), requestCert: true, rejectUnauthorized: true, ca: root.cert })
  const certificate = { chain: client.cert, key: client.key, ocsp: null }
  assert.equal(await ask(port, probeConfig('http', 'good.example', { certificate })), 'passed L7OK: status 200')
  assert.match(await ask(port, probeConfig('http', 'good.example')), /^failed L6RSP: (it wants a client certificate|TLS handshake failed)/)
})

test('a server that speaks no TLS, or says nothing, fails its check', async () => {
  const plain = createPlain((socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).on('error', () => {}))
  const silent = createPlain((socket) => void socket.resume().on('error', () => {}))
  for (const one of [plain, silent]) {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
    closing.push(one)
  }
  const portOf = (one: Server) => (one.address() as AddressInfo).port
  for (const kind of ['http', 'tcp'] as const) {
    const config = probeConfig(kind, 'good.example')
    assert.match(await ask(portOf(plain), config), /^failed L6RSP: it does not speak TLS/)
    assert.equal(await ask(portOf(silent), config, 100), 'failed L6TOUT: no TLS handshake in 100ms')
  }
})
