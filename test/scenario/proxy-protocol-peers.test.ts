// The PROXY protocol against HAProxy and nginx, in front and behind, and against another balancer of our own.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { certificateFor, needsNginxStream, startHaproxy, startNginxWith } from './lib/peers.ts'
import { rawServer } from './lib/raw-server.ts'
import { type Echo, startServer } from './lib/server.ts'
import { needsTools, output } from './lib/tools.ts'
import { type Scope, until } from './lib/wait.ts'

const PROXY = '127.0.0.1'
/** The whole 127.0.0.0/8 is this machine's, so a client can have an address that no proxy in between has. */
const CLIENT = '127.0.0.5'

const app = await startServer(file)
const teller = await rawServer(file, async (socket) => socket.end(await socket.readUntil('\r\n')))
const picked = await rawServer(file, async (socket) => socket.end('picked\r\n'))
const proxied = { proxyProtocol: 'on', trustedProxies: [PROXY] }

const from = (scope: Scope, port: number, localAddress = CLIENT): Promise<Client> =>
  connect(scope, { host: '127.0.0.1', port, localAddress })

/** The address and port of a client, and where it connected to, as `source:port destination:port`. */
const ends = (client: Client) => `${CLIENT}:${client.socket.localPort} 127.0.0.1:${client.socket.remotePort}`

/** The same in a line of version 1. */
const line = ({ socket }: Client) => `PROXY TCP4 ${CLIENT} 127.0.0.1 ${socket.localPort} ${socket.remotePort}\r\n`

async function ports<Name extends string>(...names: Name[]): Promise<Record<Name, number>> {
  const found = new Map<Name, number>()
  for (const name of names) found.set(name, await freePort())
  return Object.fromEntries(found) as Record<Name, number>
}

// A proxy in front of weir.

function behindProxies(): Promise<Balancer> {
  const listeners = {
    web: {
      bind: '127.0.0.1:0',
      ...proxied,
      routes: [
        { match: { path: '/where', clientIp: CLIENT }, answer: { status: 200, body: 'the client' } },
        { match: { path: '/where' }, answer: { status: 200, body: 'somebody else' } },
        { match: {}, upstream: 'app' },
      ],
    },
    tcp: { bind: '127.0.0.1:0', protocol: 'tcp', ...proxied, upstream: 'teller' },
    where: {
      bind: '127.0.0.1:0',
      protocol: 'tcp',
      ...proxied,
      routes: [
        { match: { clientIp: `${CLIENT}/32` }, upstream: 'picked' },
        { match: {}, upstream: 'teller' },
      ],
    },
    unique: {
      bind: '127.0.0.1:0',
      protocol: 'tcp',
      ...proxied,
      routes: [
        { match: { proxyTlv: { 'unique-id': { regex: `^id-${CLIENT}:` } } }, upstream: 'picked' },
        { match: {}, upstream: 'teller' },
      ],
    },
  }
  const upstreams = {
    app: { servers: [app.address] },
    teller: { servers: [teller.address], sendProxyProtocol: 'v1' },
    picked: { servers: [picked.address] },
  }
  return startBalancer(file, config({ servers: [], top: { listeners, upstreams } }))
}

const weir = await behindProxies()

interface FrontPorts {
  web: number
  tcp: number
  where: number
}

/** What has to be seen through a proxy whose ports lead to the listeners of `behindProxies`. */
async function assertOriginalClient(scope: Scope, front: FrontPorts): Promise<void> {
  const web = await from(scope, front.web)
  for (let i = 0; i < 2; i++) {
    web.request('GET /', { 'X-Forwarded-For': '192.0.2.1' })
    const { headers } = JSON.parse((await web.readResponse()).text) as Echo
    assert.equal(headers['x-forwarded-for'], CLIENT)
    assert.equal(headers['x-real-ip'], CLIENT)
    assert.equal(headers['x-forwarded-port'], String(front.web))
  }
  web.request('GET /where')
  assert.equal((await web.readResponse()).text, 'the client')
  const other = await from(scope, front.web, '127.0.0.6')
  other.request('GET /where')
  assert.equal((await other.readResponse()).text, 'somebody else')
  await assertTcpClient(scope, front)
}

async function assertTcpClient(scope: Scope, front: FrontPorts): Promise<void> {
  const tcp = await from(scope, front.tcp)
  assert.equal(await tcp.reader.takeUntil('\r\n'), line(tcp))
  const where = await from(scope, front.where)
  assert.equal(await where.reader.takeUntil('\r\n'), 'picked\r\n')
  const elsewhere = await from(scope, front.where, '127.0.0.6')
  assert.match(await elsewhere.reader.takeUntil('\r\n'), /^PROXY TCP4 127\.0\.0\.6 /)
}

const fronts = { v1: 'send-proxy', v2: 'send-proxy-v2', 'v2 with a checksum': 'send-proxy-v2 proxy-v2-options crc32c' }

for (const [version, send] of Object.entries(fronts)) {
  test(`HAProxy in front that sends ${version} passes its client on`, async (t) => {
    const tools = needsTools(t, ['haproxy'])
    if (tools === undefined) return
    const front = await ports('web', 'tcp', 'where')
    const sections = Object.entries(front).map(
      ([name, port]) => `listen ${name}\n  mode tcp\n  bind 127.0.0.1:${port}\n  server weir 127.0.0.1:${weir.port(name)} ${send}`,
    )
    await startHaproxy(t, tools.haproxy, Object.values(front), sections.join('\n'))
    await assertOriginalClient(t, front)
  })
}

test('a unique id of HAProxy can be routed by', async (t) => {
  const tools = needsTools(t, ['haproxy'])
  if (tools === undefined) return
  const front = await ports('unique', 'none')
  const section = (name: keyof typeof front, options: string) =>
    `listen ${name}\n  mode tcp\n  bind 127.0.0.1:${front[name]}\n  unique-id-format id-%ci:%cp\n` +
    `  server weir 127.0.0.1:${weir.port('unique')} send-proxy-v2 ${options}`
  const sections = [section('unique', 'proxy-v2-options unique-id,crc32c'), section('none', '')]
  await startHaproxy(t, tools.haproxy, Object.values(front), sections.join('\n'))
  assert.equal(await (await from(t, front.unique)).reader.takeUntil('\r\n'), 'picked\r\n')
  assert.match(await (await from(t, front.unique, '127.0.0.6')).reader.takeUntil('\r\n'), /^PROXY TCP4 127\.0\.0\.6 /)
  assert.match(await (await from(t, front.none)).reader.takeUntil('\r\n'), /^PROXY TCP4 127\.0\.0\.5 /)
})

test('health checks of HAProxy with PROXY headers succeed', async (t) => {
  const tools = needsTools(t, ['haproxy'])
  if (tools === undefined) return
  const { web } = await ports('web')
  const server = `server weir 127.0.0.1:${weir.port('web')} send-proxy-v2 check check-send-proxy inter 100`
  const sections = `listen web\n  mode http\n  option httpchk GET /checked\n  bind 127.0.0.1:${web}\n  ${server}`
  await startHaproxy(t, tools.haproxy, [web], sections)
  const client = await from(t, web)
  client.request('GET /')
  assert.equal((await client.readResponse()).status, 200)
  // A check speaks for HAProxy itself, with a LOCAL header.
  const checks = () => app.seen.filter(({ url }) => url === '/checked')
  await until(() => checks().length >= 3, { what: 'three health checks' })
  assert.deepEqual(new Set(checks().map(({ headers }) => headers['x-forwarded-for'])), new Set([PROXY]))
})

test('nginx in front, with proxy_protocol on in its stream, passes its client on', async (t) => {
  const nginx = await needsNginxStream(t)
  if (nginx === undefined) return
  const front = await ports('web', 'tcp', 'where')
  const stream = Object.entries(front).map(
    ([name, port]) => `server { listen 127.0.0.1:${port}; proxy_protocol on; proxy_pass 127.0.0.1:${weir.port(name)}; }`,
  )
  await startNginxWith(t, nginx, Object.values(front), { stream: stream.join('\n') })
  await assertOriginalClient(t, front)
})

// Weir in front of a server that wants PROXY headers.

const SENDERS = ['httpV1', 'httpV2', 'tcpV1', 'tcpV2'] as const

function inFront(t: TestContext, address: string): Promise<Balancer> {
  const listener = (name: (typeof SENDERS)[number]) => ({
    bind: '127.0.0.1:0',
    protocol: name.startsWith('http') ? 'http' : 'tcp',
    upstream: name.endsWith('V1') ? 'v1' : 'v2',
  })
  const listeners = Object.fromEntries(SENDERS.map((name) => [name, listener(name)]))
  const upstream = (version: string) => ({ servers: [address], sendProxyProtocol: version })
  return startBalancer(t, config({ servers: [], top: { listeners, upstreams: { v1: upstream('v1'), v2: upstream('v2') } } }))
}

/** Every listener's server answers with the ends of the connection as its PROXY header told them. */
async function assertToldEnds(scope: Scope, weir: Balancer): Promise<void> {
  for (const name of SENDERS) {
    const clients = [await from(scope, weir.port(name)), await from(scope, weir.port(name))]
    for (const client of [...clients, ...clients]) {
      client.request('GET /')
      const answer = await client.readResponse()
      assert.equal(answer.status, 200, name)
      assert.equal(answer.text.trim(), ends(client), name)
    }
  }
}

test('HAProxy behind takes both versions, from HTTP and TCP listeners', async (t) => {
  const tools = needsTools(t, ['haproxy'])
  if (tools === undefined) return
  const { server } = await ports('server')
  const answer = `http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"`
  await startHaproxy(t, tools.haproxy, [server], `frontend server\n  mode http\n  bind 127.0.0.1:${server} accept-proxy\n  ${answer}`)
  await assertToldEnds(t, await inFront(t, `127.0.0.1:${server}`))
})

test('nginx behind takes both versions, from HTTP and TCP listeners', async (t) => {
  const tools = needsTools(t, ['nginx'])
  if (tools === undefined) return
  const { server } = await ports('server')
  const told = '$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port'
  const http = `server { listen 127.0.0.1:${server} proxy_protocol; location / { return 200 "${told}"; } }`
  await startNginxWith(t, tools.nginx, [server], { http })
  await assertToldEnds(t, await inFront(t, `127.0.0.1:${server}`))
})

test('HAProxy and nginx behind are told an IPv6 client', async (t) => {
  const tools = needsTools(t, ['haproxy', 'nginx'])
  if (tools === undefined) return
  const { haproxy, nginx } = await ports('haproxy', 'nginx')
  const answer = `http-request return status 200 content-type text/plain lf-string "%[src] %[src_port]"`
  await startHaproxy(t, tools.haproxy, [haproxy], `frontend server\n  mode http\n  bind 127.0.0.1:${haproxy} accept-proxy\n  ${answer}`)
  const http = `server { listen 127.0.0.1:${nginx} proxy_protocol; location / { return 200 "$proxy_protocol_addr $proxy_protocol_port"; } }`
  await startNginxWith(t, tools.nginx, [nginx], { http })
  const kinds = [haproxy, nginx].flatMap((port) =>
    ['v1', 'v2'].flatMap((version) => ['http', 'tcp'].map((kind) => ({ port, version, kind }))),
  )
  const name = ({ port, version, kind }: (typeof kinds)[number]) => `${kind}-${version}-${port}`
  const listeners = Object.fromEntries(kinds.map((kind) => [name(kind), { bind: '[::1]:0', protocol: kind.kind, upstream: name(kind) }]))
  const upstreams = Object.fromEntries(
    kinds.map((kind) => [name(kind), { servers: [`127.0.0.1:${kind.port}`], sendProxyProtocol: kind.version }]),
  )
  const weir = await startBalancer(t, config({ servers: [], top: { listeners, upstreams } }))
  for (const kind of kinds) {
    const client = await connect(t, { host: '::1', port: weir.port(name(kind)) })
    client.request('GET /')
    assert.equal((await client.readResponse()).text, `::1 ${client.socket.localPort}`, name(kind))
  }
})

test('a client is told from TLS passthrough to an HTTPS server, and its name is routed by', async (t) => {
  const nginx = await needsNginxStream(t)
  const tools = nginx === undefined ? undefined : needsTools(t, ['curl'])
  if (nginx === undefined || tools === undefined) return
  const { cert, key } = await certificateFor(t, 'a.test')
  const { origin, front } = await ports('origin', 'front')
  const http =
    `server { listen 127.0.0.1:${origin} ssl proxy_protocol; ssl_certificate ${cert}; ssl_certificate_key ${key};\n` +
    'location / { return 200 "$proxy_protocol_addr $ssl_server_name"; } }'
  await startNginxWith(t, nginx, [origin], { http })
  const listeners = { web: { bind: '127.0.0.1:0', protocol: 'tls', ...proxied, routes: [{ match: { sni: 'a.test' }, upstream: 'app' }] } }
  const weir = await startBalancer(
    t,
    config({ servers: [`127.0.0.1:${origin}`], upstream: { sendProxyProtocol: 'v2' }, top: { listeners } }),
  )
  const stream = `server { listen 127.0.0.1:${front}; proxy_protocol on; proxy_pass 127.0.0.1:${weir.port()}; }`
  await startNginxWith(t, nginx, [front], { stream })
  const curl = (name: string) =>
    output(tools.curl, [
      '-sS',
      '--interface',
      CLIENT,
      '--cacert',
      cert,
      '--resolve',
      `${name}:${front}:127.0.0.1`,
      `https://${name}:${front}/`,
    ])
  assert.equal(await curl('a.test'), `${CLIENT} a.test`)
  await assert.rejects(curl('b.test'))
})

// Weir in front of weir.

for (const version of ['v1', 'v2']) {
  test(`a chain of balancers that speak ${version} tells the last server of the first one's client`, async (t) => {
    const middleListeners = Object.fromEntries(
      ['web', 'tcp', 'where'].map((name) => [name, { bind: '127.0.0.1:0', protocol: 'tcp', ...proxied, upstream: name }]),
    )
    const middle = await startBalancer(
      t,
      config({ servers: [], top: { listeners: middleListeners, upstreams: upstreamsTo(weir, version) } }),
    )
    // The first one speaks HTTP to the web, so that both kinds of forwarding are in the chain.
    const firstListeners = Object.fromEntries(
      ['web', 'tcp', 'where'].map((name) => [name, { bind: '127.0.0.1:0', protocol: name === 'web' ? 'http' : 'tcp', upstream: name }]),
    )
    const first = await startBalancer(
      t,
      config({ servers: [], top: { listeners: firstListeners, upstreams: upstreamsTo(middle, version) } }),
    )
    await assertOriginalClient(t, { web: first.port('web'), tcp: first.port('tcp'), where: first.port('where') })
  })
}

function upstreamsTo(weir: Balancer, sendProxyProtocol: string): Record<string, unknown> {
  const names = ['web', 'tcp', 'where']
  return Object.fromEntries(names.map((name) => [name, { servers: [`127.0.0.1:${weir.port(name)}`], sendProxyProtocol }]))
}
