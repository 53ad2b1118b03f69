// Servers that fail the requests of clients are taken out for a while, and let back one request at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, type Client, connect } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { answers, byPath, Gate, type Member, members, picks, serves, tally } from './lib/member.ts'
import { until } from './lib/wait.ts'

/** Only a row of failures counts: no share is judged below a million. */
const ROW = { failures: 5, minimum: 1_000_000, ejectFor: '60s' }
const SHARE = { failures: 10_000, minimum: 10, ratio: '40%', ejectFor: '60s' }
const upstreams: Record<string, Record<string, unknown>> = {}

async function upstream(name: string, letters: string, passiveHealth: object, more: object = {}): Promise<Member[]> {
  const servers = await members(file, letters)
  upstreams[name] = {
    servers: servers.map(({ address }) => address),
    balance: 'round-robin',
    retry: { attempts: 0 },
    passiveHealth,
    ...more,
  }
  return servers
}

const row = await upstream('row', 'abc', ROW)
const broken = await upstream('broken', 'ab', ROW)
const mended = await upstream('mended', 'ab', ROW)
const probed = await upstream('probed', 'abc', { ...ROW, ejectFor: '400ms' })
const clock = await upstream('clock', 'ab', { ...ROW, maxEjected: '100%' })
const capped = await upstream('capped', 'abcd', { ...ROW, maxEjected: '50%' })
const alone = await upstream('alone', 'a', { ...ROW, maxEjected: '100%' })
const panicking = await upstream('panicking', 'ab', { ...ROW, maxEjected: '100%' })
const chosen = await upstream('chosen', 'abc', { ...ROW, status: [500] })
const shared = await upstream('shared', 'ab', SHARE)
const slow = await upstream('slow', 'ab', { ...SHARE, latency: '60ms' })
const weir = await startBalancer(file, byPath(upstreams), { workers: 2 })

const isLogged = (what: RegExp) => until(() => what.test(weir.log()), { what: `a log line like ${what}; it was ${weir.log()}` })
const lines = (what: RegExp) => weir.log().match(new RegExp(what, 'g'))?.length ?? 0
const fail: Member['handle'] = answers(503, 'failed')

test('five failures in a row eject a server, over all workers together', async (t) => {
  const [a] = row as [Member]
  await serves(t, weir.port(), 'abc', { path: '/row', count: 9 })
  a.handle = fail
  a.forget()
  await until(async () => (await picks(t, weir.port(), 3, 'GET /row')) && lines(/row\/\S+ is ejected/) === 1)
  assert.match(weir.log(), new RegExp(`row/${a.address} is ejected: \\d+ requests in a row failed`))
  assert.ok(a.requests.length >= 5, `${a.requests.length} requests`)
  await serves(t, weir.port(), 'bc', { path: '/row' })
  assert.equal(tally(await picks(t, weir.port(), 20, 'GET /row'))['failed'], undefined)
})

test('broken connections count as failures', async (t) => {
  const [a] = broken as [Member]
  a.handle = (req) => void req.socket.resetAndDestroy()
  await until(async () => (await ask(t, weir.port(), 'GET /broken')) && lines(/broken\/\S+ is ejected/) === 1)
  await serves(t, weir.port(), 'b', { path: '/broken' })
})

test('a success in between begins the row anew', async (t) => {
  const [a] = mended as [Member]
  let count = 0
  a.handle = (_req, res) => void (++count % 4 === 0 ? res.end('a') : res.writeHead(503).end('failed'))
  // On one connection, so in one worker: of requests in several workers nobody can tell which one came between which.
  const client = await connect(t, weir.port())
  for (let i = 0; i < 120; i++) {
    client.request('GET /mended')
    await client.readResponse()
  }
  assert.ok(count >= 59, `${count}`)
  assert.equal(lines(/mended\/\S+ is ejected/), 0)
})

test('a server that returns gets one request until it has answered that', async (t) => {
  const [a] = probed as [Member]
  const at = { path: '/probed', count: 9 }
  const gate = new Gate()
  const wait = gate.handler('a')
  const returns = new RegExp(`probed/${a.address} gets one request at a time`)
  // A worker may still ask it when the log already tells of the ejection: such a request has to fail as well, not to wait.
  a.handle = (req, res, seen) => (returns.test(weir.log()) ? wait : fail)(req, res, seen)
  await until(async () => (await picks(t, weir.port(), 3, 'GET /probed')) && lines(new RegExp(`probed/${a.address} is ejected`)) === 1)
  const clients: Client[] = []
  for (let i = 0; i < 30; i++) clients.push(await connect(t, weir.port()))
  await isLogged(returns)
  // All at once, in two workers.
  for (const client of clients) client.request('GET /probed')
  const answered = () => clients.filter(({ reader }) => reader.pending.length > 0).length
  await until(() => gate.size >= 1 && answered() + gate.size === 30)
  assert.equal(gate.size, 1, 'requests that it got before it had answered the first')
  // The primary looks at all servers at once: when it has ejected this one, it has seen that the other has not answered yet.
  const [other] = clock as [Member]
  other.handle = fail
  await until(async () => (await picks(t, weir.port(), 3, 'GET /clock')) && lines(/clock\/\S+ is ejected/) === 1)
  assert.equal(lines(new RegExp(`probed/${a.address} is back`)), 0, 'a request that merely began is no answer')
  gate.open()
  for (const client of clients) assert.equal((await client.readResponse()).status, 200)
  await isLogged(new RegExp(`probed/${a.address} is back`))
  await serves(t, weir.port(), 'abc', at)
})

test('a server that fails its first request after its return is out again', async (t) => {
  const [, b] = probed as [Member, Member]
  b.handle = fail
  await until(async () => (await picks(t, weir.port(), 3, 'GET /probed')) && lines(new RegExp(`probed/${b.address} is ejected`)) === 1)
  await isLogged(new RegExp(`probed/${b.address} gets one request at a time`))
  await until(async () => (await picks(t, weir.port(), 3, 'GET /probed')) && lines(new RegExp(`probed/${b.address} is ejected`)) === 2)
  assert.match(weir.log(), new RegExp(`probed/${b.address} is ejected: the first request after its return failed`))
})

test('no more servers are out than their share allows', async (t) => {
  for (const server of capped.slice(0, 3)) server.handle = answers(503, server.name)
  await until(async () => (await picks(t, weir.port(), 8, 'GET /capped')) && lines(/capped\/\S+ is ejected/) === 2)
  const counts = tally(await picks(t, weir.port(), 40, 'GET /capped'))
  assert.equal(Object.keys(counts).length, 2, JSON.stringify(counts))
  assert.ok(Math.abs((counts['d'] as number) - 20) <= 2, JSON.stringify(counts))
  assert.equal(lines(/capped\/\S+ is ejected/), 2)
})

test('an upstream of one server keeps it', async (t) => {
  const [a] = alone as [Member]
  a.handle = fail
  assert.deepEqual(tally(await picks(t, weir.port(), 30, 'GET /alone')), { failed: 30 })
  a.handle = answers(200, 'a')
  assert.equal((await ask(t, weir.port(), 'GET /alone')).text, 'a')
  assert.equal(lines(/alone\/\S+ is ejected/), 0)
})

test('when all are ejected they serve all the same', async (t) => {
  for (const server of panicking) server.handle = answers(503, `${server.name} failed`)
  await until(async () => (await picks(t, weir.port(), 4, 'GET /panicking')) && lines(/panicking\/\S+ is ejected/) === 2)
  // It is their own 503 that the client gets, and not one of the balancer.
  await until(() => lines(/upstream panicking has no usable server: the ejected ones serve \(panic\)/) === 1, {
    what: 'the log tells of the panic',
  })
  const counts = tally(await picks(t, weir.port(), 20, 'GET /panicking'))
  assert.deepEqual(Object.keys(counts).sort(), ['a failed', 'b failed'])
  for (const server of panicking) server.handle = answers(200, server.name)
  await serves(t, weir.port(), 'ab', { path: '/panicking' })
})

test('the statuses that count are those that are listed', async (t) => {
  const [a, b] = chosen as [Member, Member]
  a.handle = answers(503, 'a')
  b.handle = answers(500, 'b')
  await until(async () => (await picks(t, weir.port(), 6, 'GET /chosen')) && lines(/chosen\/\S+ is ejected/) >= 1)
  await serves(t, weir.port(), 'ac', { path: '/chosen' })
  await picks(t, weir.port(), 20, 'GET /chosen')
  assert.equal(lines(new RegExp(`chosen/${a.address} is ejected`)), 0)
})

test('a share of failures ejects a server that answers in between', async (t) => {
  const [a] = shared as [Member]
  let count = 0
  a.handle = (_req, res) => void (++count % 2 === 0 ? res.end('a') : res.writeHead(503).end('failed'))
  await until(async () => (await picks(t, weir.port(), 6, 'GET /shared')) && lines(/shared\/\S+ is ejected/) === 1)
  assert.match(weir.log(), new RegExp(`shared/${a.address} is ejected: \\d+(\\.\\d+)?% of \\d+ requests in 10s failed`))
  assert.ok(count >= 10, `${count} requests`)
  await serves(t, weir.port(), 'b', { path: '/shared' })
})

test('a server that is too slow on average is ejected', async (t) => {
  const [a] = slow as [Member]
  a.handle = (_req, res) => void setTimeout(() => res.end('a'), 120)
  const isOut = async () =>
    (await Promise.all([1, 2, 3, 4].map(() => picks(t, weir.port(), 2, 'GET /slow')))) && lines(/slow\/\S+ is ejected/) === 1
  await until(isOut)
  assert.match(weir.log(), new RegExp(`slow/${a.address} is ejected: \\d+ ms to the first byte on average`))
  await serves(t, weir.port(), 'b', { path: '/slow' })
})
