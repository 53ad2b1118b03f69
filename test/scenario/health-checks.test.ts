// Active checks take servers out of traffic and bring them back, whatever the checked server answers.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { freePort } from './lib/listening.ts'
import { answers, type Member, member, members, picks, send, serves, tally } from './lib/member.ts'
import { residentBytes } from './lib/processes.ts'
import { type RawServer, rawServer } from './lib/raw-server.ts'
import { type Scope, timed, until } from './lib/wait.ts'

/** Fast enough that a scenario sees verdicts change within a second. */
const PACE = { interval: '150ms', fastInterval: '50ms', downInterval: '100ms', timeout: '150ms', rise: 2, fall: 2 }
const TCP = { tcp: true, ...PACE }
const HTTP = { http: '/health', ...PACE }

function start(t: Scope, servers: (Member | string)[], upstream: Record<string, unknown>, workers = 1): Promise<Balancer> {
  const addresses = servers.map((server) => (typeof server === 'string' ? server : server.address))
  return startBalancer(t, config({ servers: addresses, upstream }), { workers })
}

const logged = (weir: Balancer, what: RegExp) => until(() => what.test(weir.log()), { what: `a log line like ${what}` })

test('a TCP check takes a server out before a request has met it, and brings it back', async (t) => {
  const [a, b] = (await members(t, 'ab')) as [Member, Member]
  const weir = await start(t, [a, b], { health: TCP, retry: { attempts: 0 }, balance: 'round-robin' }, 2)
  await serves(t, weir.port(), 'ab')
  await a.stop()
  await logged(weir, new RegExp(`app/${a.address} is down: .*refused`, 'i'))
  assert.deepEqual(tally(await picks(t, weir.port(), 10)), { b: 10 })
  await a.start()
  await logged(weir, new RegExp(`app/${a.address} is up`))
  await serves(t, weir.port(), 'ab')
})

test('an HTTP check takes a server out that answers with another status, and one that answers too late', async (t) => {
  const [a, b, c] = (await members(t, 'abc')) as [Member, Member, Member]
  const weir = await start(t, [a, b, c], { health: HTTP, balance: 'round-robin' })
  await serves(t, weir.port(), 'abc', { count: 9 })
  a.checked = answers(500)
  b.checked = () => undefined
  await serves(t, weir.port(), 'c')
  assert.match(weir.log(), new RegExp(`app/${a.address} is down: status 500`))
  assert.match(weir.log(), new RegExp(`app/${b.address} is down: .*150 ?ms`))
  a.checked = answers(204)
  b.checked = answers(302, '', { Location: '/elsewhere' })
  await serves(t, weir.port(), 'abc', { count: 9 })
})

test('a check is sent as it is written', async (t) => {
  const a = await member(t, 'a')
  const http = { ...HTTP, http: '/health?deep=1', method: 'POST', host: 'checks.test', headers: { 'X-Token': 'secret' } }
  const weir = await start(t, [a], { health: http })
  await serves(t, weir.port(), 'a')
  const [check] = a.checks
  assert.equal(check?.method, 'POST')
  assert.equal(check?.url, '/health?deep=1')
  assert.equal(check?.headers.host, 'checks.test')
  assert.equal(check?.headers['x-token'], 'secret')
})

test('the statuses of a healthy server are those that are listed', async (t) => {
  const [a, b, c] = (await members(t, 'abc')) as [Member, Member, Member]
  a.checked = answers(200)
  b.checked = answers(418)
  c.checked = answers(503)
  const weir = await start(t, [a, b, c], { health: { ...HTTP, status: ['410-420', 503] }, balance: 'round-robin' })
  await serves(t, weir.port(), 'bc')
})

test('the body has to hold a text, or what a regular expression finds', async (t) => {
  const [a, b] = (await members(t, 'ab')) as [Member, Member]
  a.checked = answers(200, '{"state":"ready"}')
  b.checked = answers(200, '{"state":"starting"}')
  for (const body of ['"ready"', { regex: '"r[a-e]{3}y"' }]) {
    const weir = await start(t, [a, b], { health: { ...HTTP, body } })
    await serves(t, weir.port(), 'a')
    assert.match(weir.log(), new RegExp(`app/${b.address} is down: status 200, but not the body`))
    await weir.stop()
  }
})

test('another port is checked in place of the one that takes the traffic', async (t) => {
  const [a, probe] = (await members(t, 'ap')) as [Member, Member]
  const weir = await start(t, [a], { health: { ...HTTP, port: probe.port } })
  await serves(t, weir.port(), 'a')
  assert.equal(a.checks.length, 0)
  assert.ok(probe.checks.length > 0)
  probe.checked = answers(503)
  await until(async () => (await ask(t, weir.port())).status === 503)
})

test('before the first verdict requests are held, and no longer than the check takes', async (t) => {
  const a = await member(t, 'a')
  let release = () => {}
  a.checked = (_req, res) => {
    release = () => void res.end('ok')
  }
  const health = { ...HTTP, timeout: '3s', interval: '3s' }
  const weir = await start(t, [a], { health, hold: { timeout: '5s' } }, 2)
  const waiting = await Promise.all(Array.from({ length: 6 }, () => send(t, weir.port())))
  await until(() => a.checks.length > 0)
  assert.equal(a.requests.length, 0)
  release()
  for (const client of waiting) assert.equal((await client.readResponse()).text, 'a')
})

test('a server that never answers its first check is down after the time of one check', async (t) => {
  const silent = await rawServer(t, async () => undefined)
  const a = await member(t, 'a')
  a.handle = answers(200, 'never')
  const weir = await start(t, [silent.address], { health: { ...HTTP, timeout: '400ms', interval: '1s' }, hold: { timeout: '1s' } })
  const { value, ms } = await timed(ask(t, weir.port()))
  assert.equal(value.status, 503)
  assert.equal(value.headers.some(([name, text]) => name === 'Retry-After' && text === '1'), true)
  assert.ok(ms > 800 && ms < 2_500, `${ms} ms`)
  assert.match(weir.log(), /is down: /)
})

test('`initial` says what a server is before its first verdict', async (t) => {
  const a = await member(t, 'a')
  a.checked = () => undefined
  const health = { ...HTTP, timeout: '3s', interval: '3s' }
  const up = await start(t, [a], { health: { ...health, initial: 'up' } })
  assert.equal((await ask(t, up.port())).text, 'a')
  const down = await start(t, [a], { health: { ...health, initial: 'down' } })
  assert.equal((await ask(t, down.port())).status, 503)
})

test('the status of a soft stop drains a server, and no more than that', async (t) => {
  const [a, b] = (await members(t, 'ab')) as [Member, Member]
  const weir = await start(t, [a, b], { health: { ...HTTP, softStop: 404 }, balance: 'round-robin' })
  await serves(t, weir.port(), 'ab')
  a.handle = (_req, res) => void setTimeout(() => res.end('late'), 400)
  const inFlight = await Promise.all([send(t, weir.port()), send(t, weir.port())])
  await until(() => a.inHand === 1)
  a.checked = answers(404)
  await logged(weir, new RegExp(`app/${a.address} is draining`))
  assert.deepEqual(tally(await picks(t, weir.port(), 8)), { b: 8 })
  const texts = await Promise.all(inFlight.map((client) => client.readResponse()))
  assert.deepEqual(texts.map(({ text }) => text).sort(), ['b', 'late'])
  assert.doesNotMatch(weir.log(), /is down/)
  a.checked = answers(200)
  a.handle = answers(200, 'a')
  await serves(t, weir.port(), 'ab')
})

test('the words of an agent are obeyed', async (t) => {
  let line = 'ready'
  const agent = await rawServer(t, async (socket) => socket.end(`${line}\n`))
  const [a, b] = (await members(t, 'ab')) as [Member, Member]
  // The agent of `b` is that of `a`: both are on this machine. So `b` is at an address of its own.
  const other = await member(t, 'b', { host: '127.0.0.2' })
  await b.stop()
  const upstream = { agent: { port: agent.port, interval: '100ms' }, balance: 'round-robin' }
  const weir = await start(t, [a, other], upstream)
  await serves(t, weir.port(), 'ab')
  const say = async (words: string, who: string) => {
    line = words
    await serves(t, weir.port(), who, { count: 6 })
  }
  await say('drain', 'b')
  await say('ready', 'ab')
  await say('down # for repairs', 'b')
  await say('up', 'ab')
  await say('maint', 'b')
  await say('ready 50%', 'ab')
  await until(async () => {
    const { a: half = 0 } = tally(await picks(t, weir.port(), 30))
    return half >= 8 && half <= 12
  })
  // A word that has no meaning changes nothing.
  await say('0% dance', 'ab')
  await say('0%', 'b')
})

// What is no answer: each has to count as a failure of the check, at little cost to the process that checks.
const FLOOD = Buffer.alloc(262_144, 'x')

async function flood(socket: Parameters<Parameters<typeof rawServer>[1]>[0], head: string): Promise<void> {
  socket.write(head)
  const pour = () => {
    while (socket.socket.writable && socket.socket.write(FLOOD));
  }
  socket.socket.on('drain', pour)
  pour()
}

const oddities: Record<string, (socket: Parameters<Parameters<typeof rawServer>[1]>[0]) => Promise<void> | void> = {
  'a body that never ends': (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n'),
  'chunks that never end': (socket) => flood(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n'),
  'a head that never ends': (socket) => flood(socket, 'HTTP/1.1 200 OK\r\nX: '),
  'interim answers that never end': (socket) => {
    const write = () => {
      while (socket.socket.writable && socket.socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)));
    }
    socket.socket.on('drain', write)
    write()
  },
  'a byte at a time': (socket) => {
    const timer = setInterval(() => socket.socket.writable && socket.write('H'), 20)
    socket.socket.on('close', () => clearInterval(timer))
  },
  'half a body': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
  garbage: (socket) => socket.write('\0\x01\x02 SSH-2.0-nothing\r\n\r\n'),
  'a reset': (socket) => socket.reset(),
  nothing: () => undefined,
}

test('what is no answer counts as a failure, and costs little memory', async (t) => {
  const odd = await Promise.all(
    Object.entries(oddities).map(async ([what, act]) => {
      const server: RawServer = await rawServer(t, async (socket) => {
        await socket.readHead(60_000)
        await act(socket)
      })
      return { what, server }
    }),
  )
  const good = await member(t, 'a')
  const weir = await start(t, [good, ...odd.map(({ server }) => server.address)], { health: { ...HTTP, initial: 'down' } })
  await serves(t, weir.port(), 'a')
  const before = residentBytes(weir.pid)
  for (const { what, server } of odd) {
    await until(() => server.connections >= 15, { within: 10_000, what: `${what} is checked again and again` })
    assert.match(weir.log(), new RegExp(`app/${server.address} is down: \\S+`), what)
  }
  const grown = residentBytes(weir.pid) - before
  assert.ok(grown < 48 * 1024 * 1024, `the primary grew by ${Math.round(grown / 1024 / 1024)} MiB`)
  // What the checks leave behind is closed.
  for (const { what, server } of odd) assert.ok(server.open <= 2, `${what}: ${server.open} connections are open`)
  await serves(t, weir.port(), 'a')
})

test('checks begin with a PROXY header where the traffic does', async (t) => {
  for (const { version, check, begins } of [
    { version: 'v1', check: TCP, begins: /^PROXY (UNKNOWN|TCP4)[^\r]*\r\n/ },
    { version: 'v1', check: HTTP, begins: /^PROXY (UNKNOWN|TCP4)[^\r]*\r\nGET \/health HTTP\/1\.1\r\n/ },
    { version: 'v2', check: TCP, begins: /^\r\n\r\n\0\r\nQUIT\n\x20/ },
    { version: 'v2', check: HTTP, begins: /^\r\n\r\n\0\r\nQUIT\n[\s\S]{4}[\s\S]*GET \/health HTTP\/1\.1\r\n/ },
  ]) {
    const seen: string[] = []
    const server = await rawServer(t, async (socket) => {
      const bytes = await socket.reader.takeSome(5_000)
      seen.push(bytes.toString('latin1'))
      if (check === HTTP) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    const weir = await start(t, [server.address], { health: check, sendProxyProtocol: version })
    await until(() => seen.length >= 3, { what: `checks with ${version}` })
    for (const bytes of seen.slice(0, 3)) assert.match(bytes, begins)
    assert.doesNotMatch(weir.log(), /is down/)
    await weir.stop()
  }
})

test('a port on which nobody listens is down from the start, and up soon after somebody does', async (t) => {
  const port = await freePort()
  const weir = await startBalancer(t, config({ servers: [`127.0.0.1:${port}`] }), { usesDefaults: true })
  await logged(weir, /is down: .*refused/i)
  const client = await send(t, weir.port())
  const a = await member(t, 'a', { port })
  // Held for the three seconds of the default; the check comes again within one.
  const { value, ms } = await timed(client.readResponse())
  assert.equal(value.text, 'a')
  assert.ok(ms < 3_000, `${ms} ms`)
  assert.equal(a.requests.length, 1)
})
