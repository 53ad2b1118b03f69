// TLS is ended by weir: which certificate a client is shown, and what each of the clients that people use agrees on.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startBalancer } from './lib/balancer.ts'
import { openPage, startBrowser } from './lib/browser.ts'
import { authority } from './lib/certificates.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { digest, pour } from './lib/flow.ts'
import { needs } from './lib/programs.ts'
import { rawServer } from './lib/raw-server.ts'
import { type Echo, startServer } from './lib/server.ts'
import { askSecurely, secureClient } from './lib/tls.ts'
import { curlTo, gnutlsClient, sClient } from './lib/tls-programs.ts'
import { needsTools } from './lib/tools.ts'
import { inTime } from './lib/wait.ts'

const MiB = 1024 * 1024
const GET = 'GET /path HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'

const ca = await authority(file)
const intermediate = await ca.intermediate('weir test intermediate')
const rsa = await intermediate.issue({ names: ['a.test', 'localhost', '127.0.0.1'], kind: 'rsa' })
const ecdsa = await intermediate.issue({ names: ['a.test', 'localhost', '127.0.0.1'] })
const wildcard = await ca.issue({ names: ['*.wild.test'] })
const below = await ca.issue({ names: ['exact.wild.test'] })

const server = await startServer(file)
const sockets = new WebSocketServer({ server: server.http })
sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`echo: ${text}`)))
const echoing = await rawServer(file, async ({ socket }) => void socket.pipe(socket))

const pairOf = ({ path, keyPath }: { path: string; keyPath: string }) => ({ cert: path, key: keyPath })
const certificates = [rsa, ecdsa, wildcard, below].map(pairOf)
const https = { bind: '127.0.0.1:0', protocol: 'https', routes: [{ match: {}, upstream: 'app' }] }
const listeners = {
  web: { ...https, tls: { certificates } },
  strict: { ...https, tls: { certificates, unknownName: 'reject' } },
  tcp: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'echo', tls: { certificates } },
  plain: { bind: '127.0.0.1:0', redirectToHttps: true },
  moved: { bind: '127.0.0.1:0', redirectToHttps: 8443 },
}
const upstreams = { app: { servers: [server.address] }, echo: { servers: [echoing.address] } }
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams } }), { workers: 2 })

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const { what, servername, name } of [
    { what: 'its own name', servername: 'a.test', name: 'a.test' },
    { what: 'a name in capitals', servername: 'A.TEST', name: 'a.test' },
    { what: 'a name below a wildcard', servername: 'b.wild.test', name: '*.wild.test' },
    { what: 'a name below a wildcard that has a certificate of its own', servername: 'exact.wild.test', name: 'exact.wild.test' },
  ]) {
    test(`${version}: a client that asks for ${what} gets that certificate and its answer`, async (t) => {
      const { status, client } = await askSecurely(t, weir.port(), { ca: ca.cert, servername, minVersion: version, maxVersion: version })
      assert.deepEqual([status, client.commonName, client.version], [200, name, version])
    })
  }
}

for (const { what, options } of [
  { what: 'an unknown name', options: { servername: 'nobody.test' } },
  { what: 'two labels below a wildcard', options: { servername: 'c.b.wild.test' } },
  { what: 'the name of a wildcard itself', options: { servername: 'wild.test' } },
  { what: 'no name', options: {} },
]) {
  test(`a client that asks for ${what} is shown the first certificate, or refused where the listener says so`, async (t) => {
    const anyName = { checkServerIdentity: () => undefined, ca: ca.cert, ...options }
    const { client } = await askSecurely(t, weir.port(), anyName)
    assert.equal(client.commonName, 'a.test')
    await assert.rejects(secureClient(t, weir.port('strict'), anyName), /unrecognized name/)
  })
}

test('a client that knows ECDSA is shown that certificate, one that does not the RSA one, with the intermediate behind it', async (t) => {
  if (needsTools(t, ['openssl']) === undefined) return
  const args = ['-servername', 'a.test', '-CAfile', ca.path]
  for (const version of ['-tls1_2', '-tls1_3']) {
    const modern = await sClient(weir.port(), [...args, version])
    const old = await sClient(weir.port(), [...args, version, '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256'])
    assert.deepEqual([modern.kind, modern.isVerified], ['ecdsa', true], modern.text)
    assert.deepEqual([old.kind, old.isVerified], ['rsa', true], old.text)
  }
  const onlyRsa = await sClient(weir.port(), [...args, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'])
  assert.deepEqual([onlyRsa.kind, onlyRsa.cipher], ['rsa', 'ECDHE-RSA-AES128-GCM-SHA256'])
})

test('the server is told that it was https, and on which port', async (t) => {
  const { text } = await askSecurely(t, weir.port(), { ca: ca.cert, servername: 'a.test' }, { 'X-Forwarded-Proto': 'http' })
  const { headers } = JSON.parse(text) as Echo
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.match(headers.forwarded ?? '', /proto=https/)
  assert.equal(headers['x-forwarded-port'], String(weir.port()))
})

test('curl gets its answer, in both versions', async (t) => {
  if (needs(t, 'curl') === undefined) return
  for (const [args, version] of [
    [['--tls-max', '1.2'], 'TLSv1.2'],
    [['--tlsv1.3'], 'TLSv1.3'],
  ] as const) {
    const { code, text } = await curlTo(`https://a.test:${weir.port()}/path`, ca.path, '-v', ...args)
    assert.equal(code, 0, text)
    assert.match(text, new RegExp(`SSL connection using ${version}`))
    assert.match(text, /ALPN: server accepted http\/1\.1/)
    assert.match(text, /"url":"\/path"/)
  }
})

test('GnuTLS gets its answer, in both versions', async (t) => {
  if (needsTools(t, ['gnutls-cli']) === undefined) return
  for (const version of ['1.2', '1.3']) {
    const priority = `NORMAL:-VERS-ALL:+VERS-TLS${version}`
    const { description, answer, text } = await gnutlsClient(weir.port(), { ca: ca.path, name: 'a.test', priority, input: GET })
    assert.ok(description.includes(`TLS${version}`), text)
    assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*"url":"\/path"/)
  }
})

test("OpenSSL's client gets its answer, in both versions", async (t) => {
  if (needsTools(t, ['openssl']) === undefined) return
  for (const version of ['1.2', '1.3']) {
    const args = ['-servername', 'a.test', '-CAfile', ca.path, `-tls${version.replace('.', '_')}`]
    const end = await sClient(weir.port(), args, GET)
    assert.deepEqual([end.version, end.isVerified, end.code], [`TLSv${version}`, true, 0], end.text)
    assert.match(end.text, /HTTP\/1\.1 200 OK\r\n[\s\S]*"url":"\/path"/)
  }
})

test('Chromium loads a page, fetches and talks over a WebSocket, without a complaint', async (t) => {
  if (needs(t, 'chromium') === undefined) return
  const script = `
    const say = (text) => { const p = document.createElement('p'); p.textContent = text; document.body.append(p) }
    fetch('/api', { method: 'POST', body: 'x' }).then((r) => r.text()).then(say)
    const socket = new WebSocket('wss://' + location.host + '/socket')
    socket.onopen = () => socket.send('hello')
    socket.onmessage = (event) => say(event.data)`
  const page = `<!doctype html><link rel="icon" href="data:,"><script type="module">${script}</script>`
  const site = await startServer(t, (req, res, { body }) => {
    if (req.url === '/api') return void res.end(`api: ${body}`)
    res.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  new WebSocketServer({ server: site.http }).on('connection', (socket) => socket.on('message', (text) => socket.send(`socket: ${text}`)))
  const listener = { protocol: 'https', tls: { certificates } }
  const front = await startBalancer(t, config({ servers: [site.address], listener }), { workers: 2 })
  const browser = await startBrowser(t)
  const { page: open, complaints } = await openPage(browser, `https://localhost:${front.port()}/`, { ignoreHTTPSErrors: true })
  await open.locator('p', { hasText: 'api: x' }).waitFor({ timeout: 5_000 })
  await open.locator('p', { hasText: 'socket: hello' }).waitFor({ timeout: 5_000 })
  assert.deepEqual(complaints, [])
})

test('a WebSocket over TLS echoes', async (t) => {
  const socket = new WebSocket(`wss://127.0.0.1:${weir.port()}/chat`, { ca: ca.cert })
  t.after(() => socket.terminate())
  await inTime(once(socket, 'open'), { what: 'the WebSocket handshake' })
  for (const text of ['hello', 'x'.repeat(100_000)]) {
    const answer = once(socket, 'message')
    socket.send(text)
    assert.equal(String((await inTime(answer))[0]), `echo: ${text}`)
  }
})

test('a tcp listener with tls is a tunnel whose server sees the plain bytes', async (t) => {
  const client = await secureClient(t, weir.port('tcp'), { ca: ca.cert, servername: 'b.wild.test' })
  assert.deepEqual([client.commonName, client.tls.alpnProtocol], ['*.wild.test', false])
  client.send('hello')
  assert.equal((await client.reader.take(5)).toString(), 'hello')
  const flow = pour(client.socket, 5 * MiB)
  assert.deepEqual(await digest(client.reader, 5 * MiB), { bytes: 5 * MiB, sha256: await flow.poured })
})

test('the end of one direction of a tunnel over TLS passes through, and the other one goes on', async (t) => {
  const late = await rawServer(t, async (socket) => {
    const all = await socket.reader.takeRest()
    socket.end(`after your end: ${all}`)
  })
  const tcp = { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'app', tls: { certificates } }
  const front = await startBalancer(t, config({ servers: [late.address], top: { listeners: { web: tcp } } }))
  const client = await secureClient(t, front.port(), { ca: ca.cert, servername: 'a.test' })
  client.send('last words')
  client.end()
  assert.equal((await client.reader.takeRest()).toString(), 'after your end: last words')
})

async function location(t: TestContext, listener: string, host: string, startLine = 'GET /a?b=c'): Promise<string> {
  const answer = await ask(t, weir.port(listener), startLine, { Host: host }, startLine.startsWith('POST') ? 'body' : undefined)
  assert.equal(answer.status, 308)
  return answer.header('location') ?? ''
}

test('a listener that redirects to https keeps host, path and query, and the method', async (t) => {
  assert.equal(await location(t, 'plain', 'a.test'), 'https://a.test/a?b=c')
  assert.equal(await location(t, 'plain', 'a.test:80'), 'https://a.test/a?b=c')
  assert.equal(await location(t, 'plain', 'a.test', 'POST /form'), 'https://a.test/form')
  assert.equal(await location(t, 'moved', 'a.test:8080'), 'https://a.test:8443/a?b=c')
  assert.equal(await location(t, 'moved', '[::1]:8080'), 'https://[::1]:8443/a?b=c')
})
