// TLS spoken to servers: whom weir believes, what it shows, and that bodies, pools and checks go through it.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { authority } from './lib/certificates.ts'
import { ask, Broken, connect } from './lib/client.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { addressOf, listen, shut } from './lib/listening.ts'
import { type Handler, startServer } from './lib/server.ts'
import { tlsServer } from './lib/tls-peers.ts'
import { inTime, until } from './lib/wait.ts'

const ca = await authority(file)
const strangers = await authority(file, 'nobody knows this one')
const own = await (await ca.intermediate('weir test intermediate')).issue({ names: ['app.test', '127.0.0.1', '127.0.0.2'] })
const named = await ca.issue({ names: ['named.test'] })
const strange = await strangers.issue({ names: ['app.test', '127.0.0.1'] })
const expired = await ca.issue({ names: ['app.test', '127.0.0.1'], from: -30, to: -1 })
const weirItself = await ca.issue({ names: ['weir'], subject: 'CN=weir', usage: 'client' })

/** Answers what was agreed on for its connection. */
const tell: Handler = (req, res, { body, connection }) => {
  const socket = req.socket as TLSSocket
  const client = socket.getPeerCertificate()
  const facts = {
    connection,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().name,
    name: (socket as { servername?: string | false }).servername,
    isResumed: socket.isSessionReused(),
    client: client?.subject?.CN,
    body: createHash('sha256').update(body, 'latin1').digest('hex'),
  }
  res.end(JSON.stringify(facts))
}

interface Facts {
  connection: number
  protocol: string
  cipher: string
  name: string | false
  isResumed: boolean
  client?: string
  body: string
}

const pair = ({ cert, key }: { cert: string; key: string }) => ({ cert, key })
const server = await startServer(file, tell, { tls: pair(own) })
new WebSocketServer({ server: server.http }).on('connection', (socket) => socket.on('message', (text) => socket.send(`echo: ${text}`)))
const servers = {
  named: await startServer(file, tell, { tls: pair(named) }),
  strange: await startServer(file, tell, { tls: pair(strange) }),
  expired: await startServer(file, tell, { tls: pair(expired) }),
  strict: await startServer(file, tell, { tls: { ...pair(own), requestCert: true, rejectUnauthorized: true, ca: ca.cert } }),
  plain: await startServer(file, (_req, res) => void res.end('plain')),
  old: await startServer(file, tell, { tls: { ...pair(own), maxVersion: 'TLSv1.2' } }),
}
const echoing = await tlsServer(file, 'echo', own)

const trusting = { ca: ca.path }
const upstream = (address: string, tls: unknown, more: Record<string, unknown> = {}) => ({
  servers: [{ name: 'a', address }],
  tls,
  retry: { attempts: 1 },
  ...more,
})
const upstreams: Record<string, unknown> = {
  app: upstream(server.address, trusting),
  system: upstream(server.address, true),
  named: upstream(servers.named.address, { ...trusting, serverName: 'named.test' }),
  wrong: upstream(servers.named.address, trusting),
  misnamed: upstream(server.address, { ...trusting, serverName: 'other.test' }),
  strange: upstream(servers.strange.address, trusting),
  expired: upstream(servers.expired.address, trusting),
  unverified: upstream(servers.strange.address, { verify: false }),
  anonymous: upstream(servers.strict.address, trusting),
  shown: upstream(servers.strict.address, { ...trusting, certificate: { cert: weirItself.path, key: weirItself.keyPath } }),
  plain: upstream(servers.plain.address, trusting),
  old: upstream(servers.old.address, { ...trusting, minVersion: '1.3' }),
  older: upstream(server.address, { ...trusting, maxVersion: '1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
  unpooled: upstream(server.address, trusting, { keepAlive: { idle: 0 } }),
}
const routes = Object.keys(upstreams).map((name) => ({ match: { path: `/${name}/` }, upstream: name }))
const listeners = {
  web: { bind: '127.0.0.1:0', routes: [...routes, { match: {}, upstream: 'app' }] },
  tcp: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'echo' },
}
const weir = await startBalancer(
  file,
  config({ servers: [], top: { listeners, upstreams: { ...upstreams, echo: upstream(echoing.address, trusting) } } }),
)
const numberOf = (name: string) => Object.keys(upstreams).indexOf(name)
const facts = (text: string) => JSON.parse(text) as Facts

test('a server whose certificate is for its address and of a known authority is believed; no name is sent for an IP address', async (t) => {
  const { status, text } = await ask(t, weir.port(), 'GET /app/')
  assert.equal(status, 200)
  const { protocol, name } = facts(text)
  assert.deepEqual([protocol, name], ['TLSv1.3', false])
})

test('serverName is asked for, and is what the certificate has to be for', async (t) => {
  const { status, text } = await ask(t, weir.port(), 'GET /named/')
  assert.deepEqual([status, facts(text).name], [200, 'named.test'])
})

for (const { what, path } of [
  { what: 'of no authority that the system knows, without `ca`', path: 'system' },
  { what: 'of another authority', path: 'strange' },
  { what: 'for another name than the address', path: 'wrong' },
  { what: 'for another name than serverName', path: 'misnamed' },
  { what: 'that has expired', path: 'expired' },
]) {
  test(`a server with a certificate ${what} gets no request: 502, counted and told in the log`, async (t) => {
    const before = { seen: server.seen.length + Object.values(servers).reduce((sum, one) => sum + one.seen.length, 0) }
    const { status, text } = await ask(t, weir.port(), `GET /${path}/`)
    assert.equal(status, 502, text)
    assert.equal(server.seen.length + Object.values(servers).reduce((sum, one) => sum + one.seen.length, 0), before.seen)
    assert.ok(boardOf(weir).ended('tlsFailed') > 0)
    assert.ok(boardOf(weir).server(numberOf(path), 'failures') > 0)
  })
}

test('verify: false believes everybody', async (t) => {
  assert.equal((await ask(t, weir.port(), 'GET /unverified/')).status, 200)
})

test('a server that wants a certificate of weir gets the one of the config, and refuses weir without', async (t) => {
  const { status, text } = await ask(t, weir.port(), 'GET /shown/')
  assert.deepEqual([status, facts(text).client], [200, 'weir'])
  const refused = await ask(t, weir.port(), 'GET /anonymous/')
  assert.equal(refused.status, 502)
})

test('a server that speaks no TLS, or no version that is allowed, is a failure', async (t) => {
  assert.equal((await ask(t, weir.port(), 'GET /plain/')).status, 502)
  assert.equal((await ask(t, weir.port(), 'GET /old/')).status, 502)
})

test('versions and ciphers are those of the config', async (t) => {
  const { protocol, cipher } = facts((await ask(t, weir.port(), 'GET /older/')).text)
  assert.deepEqual([protocol, cipher], ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'])
})

test('connections are pooled, and new ones resume a session', async (t) => {
  const first = facts((await ask(t, weir.port(), 'GET /app/')).text)
  for (let i = 0; i < 5; i++) assert.equal(facts((await ask(t, weir.port(), 'GET /app/')).text).connection, first.connection)
  await ask(t, weir.port(), 'GET /unpooled/')
  const later = await Promise.all(Array.from({ length: 5 }, () => ask(t, weir.port(), 'GET /unpooled/')))
  assert.ok(
    later.some(({ text }) => facts(text).isResumed),
    later.map(({ text }) => text).join(' '),
  )
})

test('bodies of many sizes arrive whole in both directions', async (t) => {
  const client = await connect(t, weir.port())
  for (const size of [0, 1, 16_383, 16_384, 16_385, 100_000, 3_000_000]) {
    const body = randomBytes(size)
    client.request('POST /app/', { 'Content-Length': String(size) }, body)
    const answer = await client.readResponse({ within: 10_000 })
    assert.equal(facts(answer.text).body, createHash('sha256').update(body).digest('hex'), `${size} bytes`)
  }
  const big = randomBytes(5_000_000)
  const source = await startServer(t, (_req, res) => void res.end(big), { tls: pair(own) })
  const front = await startBalancer(t, config({ servers: [source.address], upstream: { tls: trusting } }))
  const { body } = await ask(t, front.port())
  assert.ok(body.equals(big))
})

test('a WebSocket passes to a server over TLS', async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${weir.port()}/app/socket`)
  t.after(() => socket.terminate())
  await inTime(once(socket, 'open'), { what: 'the WebSocket handshake' })
  const answer = once(socket, 'message')
  socket.send('hello')
  assert.equal(String((await inTime(answer))[0]), 'echo: hello')
})

test('a tcp listener speaks TLS to its server', async (t) => {
  const client = await connect(t, weir.port('tcp'))
  assert.equal(await client.reader.takeUntil('\n'), 'echo\n')
  client.send('hello')
  assert.equal((await client.reader.take(5)).toString(), 'hello')
})

test('health checks go over TLS, and believe nobody whom requests would not', async (t) => {
  const checked = await startServer(t, (_req, res) => void res.end('ok'), { tls: pair(own) })
  const health = { http: '/healthz', interval: '1s', timeout: '900ms' }
  const good = { servers: [{ name: 'good', address: checked.address }], tls: trusting, health }
  const bad = { servers: [{ name: 'bad', address: servers.strange.address }], tls: trusting, health }
  const front = await startBalancer(t, config({ servers: [], top: { upstreams: { app: good, bad } } }))
  await until(() => checked.seen.some(({ url }) => url === '/healthz'), { what: 'a check' })
  const states = async () => (await command(front, 'status', '--json')).stdout
  await until(async () => /"name":\s*"bad"[\s\S]*?"down"/.test(await states()), {
    within: 10_000,
    what: 'the server with a strange certificate is down',
  })
  assert.equal((await ask(t, front.port())).text, 'ok')
  assert.equal(servers.strange.seen.filter(({ url }) => url === '/healthz').length, 0)
})

/** A TLS server that sends these bytes after a request and ends: with close_notify, or the connection alone. */
async function abruptServer(scope: Parameters<typeof ask>[0], bytes: string, how: 'notify' | 'fin' | 'reset'): Promise<string> {
  const open = new Set<Socket>()
  const abrupt = createServer((raw) => {
    open.add(raw.on('close', () => open.delete(raw)).on('error', () => undefined))
    const tls = new TLSSocket(raw, { isServer: true, ...pair(own) })
    tls.on('error', () => undefined)
    tls.once('data', () => {
      if (how === 'notify') return void tls.end(bytes)
      tls.write(bytes, () => void (how === 'fin' ? raw.end() : setTimeout(() => raw.resetAndDestroy(), 50)))
    })
  })
  await listen(abrupt, { host: '127.0.0.1', port: 0 })
  scope.after(() => shut(abrupt, () => open))
  return addressOf(abrupt)
}

for (const { what, head } of [
  { what: 'of unknown length', head: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n' },
  { what: 'of known length', head: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n' },
  { what: 'in chunks', head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n' },
]) {
  for (const how of ['fin', 'reset'] as const) {
    test(`a body ${what} that ends with ${how} and without close_notify does not look complete`, async (t) => {
      const address = await abruptServer(t, `${head}the beginning`, how)
      const front = await startBalancer(t, config({ servers: [address], upstream: { tls: trusting, retry: { attempts: 1 } } }))
      const outcome = await ask(t, front.port()).then(
        ({ status, text }) => `${status} ${text}`,
        (error: Error) => `${error instanceof Broken ? 'broken' : ''} ${error.message}`,
      )
      assert.match(outcome, /^502|^broken|reset|chunk/)
    })
  }
}

test('a body of unknown length that ends with close_notify is complete', async (t) => {
  const address = await abruptServer(t, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it', 'notify')
  const front = await startBalancer(t, config({ servers: [address], upstream: { tls: trusting } }))
  assert.equal((await ask(t, front.port())).text, 'all of it')
})
