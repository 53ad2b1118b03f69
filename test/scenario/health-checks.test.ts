// Active checks take servers out of traffic and bring them back, whatever the checked server answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { ask, headerOf } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { answers, byPath, type Member, member, members, picks, send, serves, tally } from './lib/member.ts'
import { residentBytes } from './lib/processes.ts'
import { rawServer, type ServerSocket } from './lib/raw-server.ts'
import { timed, until } from './lib/wait.ts'

/** Fast enough that a scenario sees verdicts change within a second. */
const PACE = { interval: '150ms', fastInterval: '50ms', downInterval: '100ms', timeout: '150ms', rise: 2, fall: 2 }
const TCP = { tcp: true, ...PACE }
const HTTP = { http: '/health', ...PACE }
const [tcp, late, listed, text, pattern, other, drained] = (await Promise.all(
  ['ab', 'abc', 'abc', 'ab', 'ab', 'ap', 'ab'].map((names) => members(file, names)),
)) as [Member[], Member[], Member[], Member[], Member[], Member[], Member[]]
const written = await member(file, 'a')
// Both are on this machine, so the second is at an address of its own, where no agent is.
const orderly = [await member(file, 'a'), await member(file, 'b', { host: '127.0.0.2' })] as const
let line = 'ready'
const agent = await rawServer(file, async (socket) => socket.end(`${line}\n`))

const addressesOf = (servers: readonly Member[]) => servers.map(({ address }) => address)
const turns = (servers: readonly Member[], health: object) => ({ servers: addressesOf(servers), health, balance: 'round-robin' })
listed.forEach((server, i) => (server.checked = answers([200, 418, 503][i] as number)))
for (const [ready, starting] of [text, pattern] as [Member, Member][]) {
  ready.checked = answers(200, '{"state":"ready"}')
  starting.checked = answers(200, '{"state":"starting"}')
}

const weir = await startBalancer(
  file,
  byPath({
    tcp: { ...turns(tcp, TCP), retry: { attempts: 0 } },
    late: turns(late, HTTP),
    written: turns([written], {
      ...HTTP,
      http: '/health?deep=1',
      method: 'POST',
      host: 'checks.test',
      headers: { 'X-Token': 'secret' },
    }),
    listed: turns(listed, { ...HTTP, status: ['410-420', 503] }),
    text: turns(text, { ...HTTP, body: '"ready"' }),
    pattern: turns(pattern, { ...HTTP, body: { regex: '"r[a-e]{3}y"' } }),
    other: turns(other.slice(0, 1), { ...HTTP, port: other[1]?.port }),
    drained: turns(drained, { ...HTTP, softStop: 404 }),
    orderly: { servers: addressesOf(orderly), agent: { port: agent.port, interval: '100ms' }, balance: 'round-robin' },
  }),
  { workers: 2 },
)

const isLogged = (what: RegExp, balancer: Balancer = weir) =>
  until(() => what.test(balancer.log()), { what: `a log line like ${what}; it was ${balancer.log()}` })

test('a TCP check takes a server out before a request has met it, and brings it back', async (t) => {
  const [a] = tcp as [Member]
  await serves(t, weir.port(), 'ab', { path: '/tcp' })
  await a.stop()
  await isLogged(new RegExp(`tcp/${a.address} is down: .*refused`, 'i'))
  assert.deepEqual(tally(await picks(t, weir.port(), 10, 'GET /tcp')), { b: 10 })
  await a.start()
  await isLogged(new RegExp(`tcp/${a.address} is up`))
  await serves(t, weir.port(), 'ab', { path: '/tcp' })
})

test('an HTTP check takes a server out that answers with another status, and one that answers too late', async (t) => {
  const [a, b] = late as [Member, Member]
  await serves(t, weir.port(), 'abc', { path: '/late', count: 12 })
  a.checked = answers(500)
  b.checked = () => undefined
  await serves(t, weir.port(), 'c', { path: '/late' })
  assert.match(weir.log(), new RegExp(`late/${a.address} is down: status 500`))
  assert.match(weir.log(), new RegExp(`late/${b.address} is down: .*150 ?ms`))
  a.checked = answers(204)
  b.checked = answers(302, '', { Location: '/elsewhere' })
  await serves(t, weir.port(), 'abc', { path: '/late', count: 12 })
})

test('a check is sent as it is written', async (t) => {
  await serves(t, weir.port(), 'a', { path: '/written' })
  const [check] = written.checks
  assert.equal(check?.method, 'POST')
  assert.equal(check?.url, '/health?deep=1')
  assert.equal(check?.headers.host, 'checks.test')
  assert.equal(check?.headers['x-token'], 'secret')
})

test('the statuses of a healthy server are those that are listed', (t) => serves(t, weir.port(), 'bc', { path: '/listed', count: 12 }))

test('the body has to hold a text, or what a regular expression finds', async (t) => {
  for (const [name, servers] of Object.entries({ text, pattern })) {
    await serves(t, weir.port(), 'a', { path: `/${name}` })
    assert.match(weir.log(), new RegExp(`${name}/${servers[1]?.address} is down: status 200, but not the body`))
  }
})

test('another port is checked in place of the one that takes the traffic', async (t) => {
  const [a, probe] = other as [Member, Member]
  await serves(t, weir.port(), 'a', { path: '/other' })
  assert.equal(a.checks.length, 0)
  assert.ok(probe.checks.length > 0)
  probe.checked = answers(503)
  await until(async () => (await ask(t, weir.port(), 'GET /other')).status === 503)
})

test('the status of a soft stop drains a server, and no more than that', async (t) => {
  const [a] = drained as [Member]
  await serves(t, weir.port(), 'ab', { path: '/drained' })
  a.handle = (_req, res) => void setTimeout(() => res.end('late'), 600)
  const inFlight = await Promise.all(Array.from({ length: 6 }, () => send(t, weir.port(), 'GET /drained')))
  await until(() => a.inHand >= 1)
  a.checked = answers(404)
  await isLogged(new RegExp(`drained/${a.address} is draining`))
  assert.deepEqual(tally(await picks(t, weir.port(), 8, 'GET /drained')), { b: 8 })
  const texts = await Promise.all(inFlight.map((client) => client.readResponse()))
  assert.deepEqual([...new Set(texts.map((response) => response.text))].sort(), ['b', 'late'])
  assert.doesNotMatch(weir.log(), /drained\/\S+ is down/)
  a.checked = answers(200)
  a.handle = answers(200, 'a')
  await serves(t, weir.port(), 'ab', { path: '/drained' })
})

test('the words of an agent are obeyed', async (t) => {
  await serves(t, weir.port(), 'ab', { path: '/orderly' })
  const say = async (words: string, who: string) => {
    line = words
    await serves(t, weir.port(), who, { path: '/orderly' })
  }
  await say('drain', 'b')
  await say('ready', 'ab')
  await say('down # for repairs', 'b')
  await say('up', 'ab')
  await say('maint', 'b')
  await say('ready 25%', 'ab')
  const isQuarter = async () => {
    const { a = 0, b = 0 } = tally(await picks(t, weir.port(), 40, 'GET /orderly'))
    return a + b === 40 && a >= 6 && a <= 10
  }
  await until(isQuarter, { what: 'a quarter of its weight' })
  // Half of an order is not obeyed: the word that has no meaning makes the line void.
  const asked = agent.connections
  line = '0% dance'
  await until(() => agent.connections > asked + 3)
  await serves(t, weir.port(), 'ab', { path: '/orderly', count: 16 })
  await say('0%', 'b')
})

test('before the first verdict requests wait for it, or `initial` says what a server is', async (t) => {
  const [held, silent, taken, denied] = (await members(t, 'hsud')) as [Member, Member, Member, Member]
  const health = { ...HTTP, timeout: '2s', interval: '2s' }
  let release = () => {}
  held.checked = (_req, res) => {
    release = () => void res.end('ok')
  }
  for (const server of [silent, taken, denied]) server.checked = () => undefined
  const first = await startBalancer(
    t,
    byPath({
      held: { servers: [held.address], health, hold: { timeout: '5s' } },
      silent: { servers: [silent.address], health: { ...health, timeout: '600ms' }, hold: { timeout: '1s' } },
      taken: { servers: [taken.address], health: { ...health, initial: 'up' } },
      denied: { servers: [denied.address], health: { ...health, initial: 'down' } },
    }),
    { workers: 2 },
  )
  const waiting = await Promise.all(Array.from({ length: 6 }, () => send(t, first.port(), 'GET /held')))
  const inVain = timed(ask(t, first.port(), 'GET /silent'))
  assert.equal((await ask(t, first.port(), 'GET /taken')).text, 'u')
  assert.equal((await ask(t, first.port(), 'GET /denied')).status, 503)
  assert.equal(held.requests.length, 0)
  release()
  for (const client of waiting) assert.equal((await client.readResponse()).text, 'h')
  const { value, ms } = await inVain
  assert.equal(value.status, 503)
  assert.equal(headerOf(value, 'retry-after'), '1')
  assert.ok(ms > 800 && ms < 2_500, `${ms} ms`)
  assert.match(first.log(), /silent\/\S+ is down: /)
})

// What is no answer: each has to count as a failure of the check, at little cost to the process that checks.

function pour({ socket }: ServerSocket, block: string | Buffer): void {
  const more = () => {
    while (socket.writable && socket.write(block));
  }
  socket.on('drain', more)
  more()
}

const FLOOD = Buffer.alloc(262_144, 'x')
const endless = (head: string) => (socket: ServerSocket) => {
  socket.write(head)
  pour(socket, FLOOD)
}

const oddities: Record<string, (socket: ServerSocket) => void> = {
  'a body that never ends': endless('HTTP/1.1 200 OK\r\n\r\n'),
  'chunks that never end': endless('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n'),
  'a head that never ends': endless('HTTP/1.1 200 OK\r\nX: '),
  'interim answers that never end': (socket) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)),
  'a byte at a time': ({ socket }) => {
    const timer = setInterval(() => socket.writable && socket.write('H'), 20)
    socket.on('close', () => clearInterval(timer))
  },
  'half a body': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
  garbage: (socket) => socket.write('\0\x01\x02 SSH-2.0-nothing\r\n\r\n'),
  'a reset': (socket) => socket.reset(),
  nothing: () => undefined,
}

test('what is no answer counts as a failure, and costs little memory', async (t) => {
  const odd = await Promise.all(
    Object.entries(oddities).map(async ([what, act]) => {
      const server = await rawServer(t, async (socket) => {
        await socket.readHead(60_000)
        act(socket)
        await socket.closed(60_000)
        socket.socket.destroy()
      })
      return { what, server }
    }),
  )
  const good = await member(t, 'a')
  const servers = [good.address, ...odd.map(({ server }) => server.address)]
  const checking = await startBalancer(t, config({ servers, upstream: { health: HTTP } }))
  await serves(t, checking.port(), 'a')
  for (const { what, server } of odd) await isLogged(new RegExp(`app/${server.address} is down: [^\n]+`), checking).catch(named(what))
  const before = residentBytes(checking.pid)
  for (const { what, server } of odd) {
    await until(() => server.connections >= 15, { within: 10_000, what: `${what} is checked again and again` })
  }
  const grown = residentBytes(checking.pid) - before
  assert.ok(grown < 48 * 1024 * 1024, `the primary grew by ${Math.round(grown / 1024 / 1024)} MiB`)
  for (const { what, server } of odd) assert.ok(server.open <= 2, `${what}: ${server.open} connections are open`)
  assert.doesNotMatch(checking.log(), /is up/)
  await serves(t, checking.port(), 'a')
})

// Says which one it was.
const named = (what: string) => (cause: Error) => {
  throw new Error(`${what}: ${cause.message}`, { cause })
}

test('checks begin with a PROXY header where the traffic does', async (t) => {
  const kinds = [
    { name: 'line', version: 'v1', health: TCP, begins: /^PROXY (UNKNOWN|TCP4)[^\r]*\r\n/ },
    { name: 'lineHttp', version: 'v1', health: HTTP, begins: /^PROXY (UNKNOWN|TCP4)[^\r]*\r\nGET \/health HTTP\/1\.1\r\n/ },
    { name: 'binary', version: 'v2', health: TCP, begins: /^\r\n\r\n\0\r\nQUIT\n\x20/ },
    { name: 'binaryHttp', version: 'v2', health: HTTP, begins: /^\r\n\r\n\0\r\nQUIT\n[\s\S]{4}GET \/health HTTP\/1\.1\r\n/ },
  ]
  const upstreams: Record<string, Record<string, unknown>> = {}
  const seen = new Map<string, string[]>()
  for (const { name, version, health } of kinds) {
    const texts: string[] = []
    seen.set(name, texts)
    const server = await rawServer(t, async (socket) => {
      texts.push((await socket.reader.takeSome()).toString('latin1'))
      if (health === HTTP) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    upstreams[name] = { servers: [server.address], health, sendProxyProtocol: version }
  }
  const proxied = await startBalancer(t, byPath(upstreams))
  for (const { name, begins } of kinds) {
    const texts = seen.get(name) as string[]
    await until(() => texts.length >= 3, { what: `checks of ${name}` })
    for (const bytes of texts.slice(0, 3)) assert.match(bytes, begins, name)
  }
  assert.doesNotMatch(proxied.log(), /is down/)
})

test('by default a port on which nobody listens is down, and a request that is held gets the server that starts there', async (t) => {
  const port = await freePort()
  const settings = config({ servers: [`127.0.0.1:${port}`], upstream: { hold: { timeout: '15s' } } })
  const usual = await startBalancer(t, settings, { usesDefaults: true })
  await isLogged(/is down: .*refused/i, usual)
  const client = await send(t, usual.port())
  const a = await member(t, 'a', { port })
  // A server that is down is checked every five seconds, and has to pass twice.
  const { value, ms } = await timed(client.readResponse({ within: 15_000 }))
  assert.equal(value.text, 'a')
  assert.ok(ms < 7_500, `${ms} ms`)
  assert.equal(a.requests.length, 1)
})
