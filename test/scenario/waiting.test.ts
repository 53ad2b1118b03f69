// Requests and connections wait: for room where every server is full, and for a server where none can be reached.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectControl } from '../../src/cli/control-client.ts'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { ask, type Client, connect, headerOf } from './lib/client.ts'
import { echoes, namedServer, whoAnswers } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { answers, byPath, Gate, type Member, member, members, send, tally } from './lib/member.ts'
import { timed, until } from './lib/wait.ts'

const one = (server: Member | string, more: object = {}) => ({
  servers: [{ address: typeof server === 'string' ? server : server.address, maxConnections: 1 }],
  ...more,
})
const [inTurn, late, few, left, never, everywhere] = (await members(file, 'abcdef')) as [Member, Member, Member, Member, Member, Member]
const pair = await members(file, 'xy')
const addresses = pair.map(({ address }) => address)
const ports = { back: await freePort(), refused: await freePort(), crowd: await freePort(), checked: await freePort() }
const tcpPorts = { queued: await freePort(), full: await freePort(), held: await freePort(), gone: await freePort() }
const at = (port: number) => `127.0.0.1:${port}`
const CHECK = { tcp: true, interval: '200ms', fastInterval: '50ms', downInterval: '100ms', timeout: '100ms', rise: 1 }

const upstreams = {
  inTurn: one(inTurn, { queue: { timeout: '5s' } }),
  late: one(late, { queue: { timeout: '400ms' } }),
  few: one(few, { queue: { max: 2, timeout: '5s' } }),
  left: one(left, { queue: { max: 1, timeout: '5s' } }),
  never: one(never),
  limited: { servers: addresses, limits: { inFlight: 3 }, queue: { timeout: '5s' } },
  unqueued: { servers: addresses, limits: { inFlight: 2 } },
  back: { servers: [at(ports.back)], hold: { timeout: '5s' } },
  refused: { servers: [at(ports.refused)], hold: { timeout: '400ms' } },
  crowd: { servers: [at(ports.crowd)], hold: { max: 2, timeout: '5s' } },
  checked: { servers: [at(ports.checked)], health: CHECK, hold: { timeout: '5s' } },
  unheld: { servers: [at(ports.refused)], hold: 'off' },
}
const tcpUpstreams = {
  tcpQueued: one(at(tcpPorts.queued), { queue: { timeout: '5s' } }),
  tcpFull: one(at(tcpPorts.full), { queue: { timeout: '300ms' } }),
  tcpHeld: { servers: [at(tcpPorts.held)], hold: { timeout: '5s' } },
  tcpGone: { servers: [at(tcpPorts.gone)], hold: { timeout: '300ms' } },
}
const config = byPath(upstreams)
const tcpListeners = Object.keys(tcpUpstreams).map((upstream) => [upstream, { bind: '127.0.0.1:0', protocol: 'tcp', upstream }])
const weir = await startBalancer(file, {
  ...config,
  listeners: { ...(config['listeners'] as object), ...Object.fromEntries(tcpListeners) },
  upstreams: { ...upstreams, ...tcpUpstreams },
})
const two = await startBalancer(file, byPath({ everywhere: one(everywhere, { queue: { timeout: '10s' } }) }), { workers: 2 })
const board = boardOf(weir)
const waiting = (count: number) => until(() => board.worker('waiting') === count, { what: `${count} wait` })

/** Fills the server's one place, and makes these paths wait behind it in this order. */
async function lineUp(scope: Parameters<typeof send>[0], name: string, count: number, server: Member, gate: Gate): Promise<Client[]> {
  server.handle = gate.handler(server.name)
  const clients = [await send(scope, weir.port(), `GET /${name}/0`)]
  await until(() => gate.size === 1)
  for (let i = 1; i <= count; i++) {
    clients.push(await send(scope, weir.port(), `GET /${name}/${i}`))
    await waiting(i)
  }
  return clients
}

test('who waits for room gets it in the order of arrival, one at a time', async (t) => {
  const gate = new Gate()
  const clients = await lineUp(t, 'inTurn', 8, inTurn, gate)
  for (const [i, client] of clients.entries()) {
    await until(() => gate.size === 1)
    assert.deepEqual(gate.urls, [`/inTurn/${i}`])
    gate.next()
    assert.equal((await client.readResponse()).text, 'a')
  }
  assert.equal(inTurn.mostInHand, 1)
  await waiting(0)
})

test('who waits too long for room gets a 503 that says when to come back', async (t) => {
  const gate = new Gate()
  const [first, second] = (await lineUp(t, 'late', 1, late, gate)) as [Client, Client]
  const { value, ms } = await timed(second.readResponse())
  assert.equal(value.status, 503)
  assert.equal(headerOf(value, 'retry-after'), '1')
  assert.ok(ms > 250 && ms < 1_200, `${ms} ms`)
  gate.open()
  assert.equal((await first.readResponse()).text, 'b')
  assert.equal(late.requests.length, 1)
  await waiting(0)
})

test('one more than may wait gets a 503 at once, and those that wait keep their places', async (t) => {
  const gate = new Gate()
  const clients = await lineUp(t, 'few', 2, few, gate)
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /few/3'))
  assert.equal(value.status, 503)
  assert.ok(ms < 500, `${ms} ms`)
  gate.open()
  for (const client of clients) assert.equal((await client.readResponse()).text, 'c')
  assert.equal(few.requests.length, 3)
})

test('a client that leaves frees its place, and its request is never sent', async (t) => {
  const gate = new Gate()
  const [first, second] = (await lineUp(t, 'left', 1, left, gate)) as [Client, Client]
  second.reset()
  await waiting(0)
  const third = await send(t, weir.port(), 'GET /left/third')
  await waiting(1)
  gate.open()
  for (const client of [first, third]) assert.equal((await client.readResponse()).text, 'd')
  assert.deepEqual(
    left.requests.map(({ url }) => url),
    ['/left/0', '/left/third'],
  )
})

test('without a queue a full server means 503 at once', async (t) => {
  const gate = new Gate()
  const [first] = (await lineUp(t, 'never', 0, never, gate)) as [Client]
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /never'))
  assert.equal(value.status, 503)
  assert.ok(ms < 500, `${ms} ms`)
  gate.open()
  assert.equal((await first.readResponse()).text, 'e')
})

test('a limit on all requests in flight is kept, and nobody who waits is forgotten', async (t) => {
  let inHand = 0
  let most = 0
  for (const server of pair) {
    server.handle = (_req, res) => {
      most = Math.max(most, ++inHand)
      setTimeout(() => {
        inHand--
        res.end(server.name)
      }, 15)
    }
  }
  // All at once, so that many are decided within one millisecond.
  const clients = await Promise.all(Array.from({ length: 60 }, () => connect(t, weir.port())))
  for (const client of clients) client.request('GET /limited')
  const { value, ms } = await timed(Promise.all(clients.map((client) => client.readResponse())))
  assert.deepEqual([...new Set(value.map(({ status }) => status))], [200])
  assert.ok(most <= 3, `${most} were in flight at once`)
  // Twenty turns of 15 ms, with room to spare.
  assert.ok(ms < 3_000, `${ms} ms`)
})

test('above the limit on all requests in flight there is a 503 where nothing may wait', async (t) => {
  const gate = new Gate()
  for (const server of pair) server.handle = gate.handler(server.name)
  const clients = [await send(t, weir.port(), 'GET /unqueued'), await send(t, weir.port(), 'GET /unqueued')]
  await until(() => gate.size === 2)
  assert.equal((await ask(t, weir.port(), 'GET /unqueued')).status, 503)
  gate.open()
  for (const client of clients) assert.equal((await client.readResponse()).status, 200)
})

test('who is held because a server refuses goes there as soon as it accepts again', async (t) => {
  const control = await connectControl(join(weir.folder, 'weir.sock'))
  t.after(() => control.close())
  const longestHold = async () => (await control.ask('figures', { upstream: 'back', restartHold: true })).data.longestHoldMs
  const begun = performance.now()
  const clients = await Promise.all(Array.from({ length: 5 }, (_, i) => send(t, weir.port(), `GET /back/${i}`)))
  await until(() => board.worker('waiting') >= 4, { what: 'they are held' })
  const server = await member(t, 'b', { port: ports.back })
  const { value, ms } = await timed(Promise.all(clients.map((client) => client.readResponse())))
  assert.deepEqual(
    value.map(({ text }) => text),
    ['b', 'b', 'b', 'b', 'b'],
  )
  assert.ok(ms < 2_000, `${ms} ms`)
  assert.equal(server.requests.length, 5)
  const held = await longestHold()
  assert.ok(held > 0 && held <= performance.now() - begun, `the longest hold was ${held} ms`)
  assert.equal(await longestHold(), 0, 'it begins anew when it is told to')
})

test('a POST that is held is sent once, with its body', async (t) => {
  const port = ports.crowd
  const client = await connect(t, weir.port())
  client.request('POST /crowd/order', { 'Content-Length': '5' }, 'hello')
  await until(() => board.worker('waiting') >= 1)
  const server = await member(t, 'c', { port })
  assert.equal((await client.readResponse()).text, 'c')
  assert.deepEqual(
    server.requests.map(({ body }) => body),
    ['hello'],
  )
  await server.stop()
})

test('who is held too long gets a 503 that says when to come back', async (t) => {
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /refused'))
  assert.equal(value.status, 503)
  assert.equal(headerOf(value, 'retry-after'), '1')
  assert.ok(ms > 350 && ms < 1_500, `${ms} ms`)
})

test('no more are held than may be, and with `off` nobody is', async (t) => {
  const held = [await send(t, weir.port(), 'GET /crowd'), await send(t, weir.port(), 'GET /crowd')]
  await waiting(2)
  for (const path of ['/crowd', '/unheld']) {
    const { value, ms } = await timed(ask(t, weir.port(), `GET ${path}`))
    assert.equal(value.status, 503)
    assert.ok(ms < 400, `${path} took ${ms} ms`)
  }
  for (const client of held) client.reset()
  await waiting(0)
})

test('who is held because a check calls the server down goes there once it is up', async (t) => {
  await until(() => /checked\/\S+ is down/.test(weir.log()))
  const clients = await Promise.all(Array.from({ length: 5 }, () => send(t, weir.port(), 'GET /checked')))
  await waiting(5)
  await member(t, 'k', { port: ports.checked })
  const { value, ms } = await timed(Promise.all(clients.map((client) => client.readResponse())))
  assert.deepEqual([...new Set(value.map(({ text }) => text))], ['k'])
  assert.ok(ms < 2_000, `${ms} ms`)
})

test('a TCP connection waits for room', async (t) => {
  await namedServer(t, 'q', { port: tcpPorts.queued })
  const first = await whoAnswers(t, weir.port('tcpQueued'))
  const second = await connect(t, weir.port('tcpQueued'))
  await waiting(1)
  second.send('early')
  await echoes(first.client, 'still here')
  first.client.end()
  assert.equal(await second.reader.takeUntil('\n'), 'q\n')
  assert.equal((await second.reader.take(5)).toString(), 'early')
})

test('a TCP connection that waits too long for room, or for a server, is closed', async (t) => {
  await namedServer(t, 'q', { port: tcpPorts.full })
  const first = await whoAnswers(t, weir.port('tcpFull'))
  for (const listener of ['tcpFull', 'tcpGone']) {
    const client = await connect(t, weir.port(listener))
    const { ms } = await timed(client.expectClosed())
    assert.ok(ms > 200 && ms < 1_500, `${listener}: ${ms} ms`)
  }
  await echoes(first.client, 'still here')
})

test('a TCP connection waits for a server', async (t) => {
  const client = await connect(t, weir.port('tcpHeld'))
  client.send('early')
  await waiting(1)
  await namedServer(t, 'q', { port: tcpPorts.held })
  assert.equal(await client.reader.takeUntil('\n'), 'q\n')
  assert.equal((await client.reader.take(5)).toString(), 'early')
})

test('room that one worker frees is given to who waits in another', async (t) => {
  const gate = new Gate()
  everywhere.handle = gate.handler('f')
  const counters = boardOf(two)
  const clients = [await send(t, two.port(), 'GET /everywhere/0')]
  await until(() => gate.size === 1)
  for (let i = 1; i < 16; i++) clients.push(await send(t, two.port(), `GET /everywhere/${i}`))
  await until(() => counters.worker('waiting') === 15)
  const statuses: number[] = []
  for (const client of clients) void client.readResponse({ within: 10_000 }).then(({ status }) => statuses.push(status))
  while (statuses.length < 16) {
    const known = statuses.length
    await until(() => gate.size > 0 || statuses.length > known, { what: `turn ${known}, after ${statuses}` })
    gate.next()
  }
  assert.deepEqual(tally(statuses.map(String)), { 200: 16 })
  assert.equal(everywhere.mostInHand, 1)
  assert.equal(new Set(everywhere.requests.map(({ url }) => url)).size, 16)
})

const PER_LANE = 60

// Both workers see the same room, and one of them comes too late: who it is waits on.
test('who loses a race for room waits on', async (t) => {
  everywhere.handle = answers(200, 'f')
  everywhere.forget()
  const statuses: string[] = []
  const lane = async () => {
    const client = await connect(t, two.port())
    for (let i = 0; i < PER_LANE; i++) {
      client.request('GET /everywhere')
      statuses.push(String((await client.readResponse({ within: 12_000 })).status))
    }
  }
  const { ms } = await timed(Promise.all(Array.from({ length: 32 }, lane)))
  assert.ok(ms < 10_000, `nobody has waited for 10 s, for all took ${ms} ms`)
  assert.deepEqual(tally(statuses), { 200: 32 * PER_LANE })
  assert.equal(everywhere.mostInHand, 1)
})
