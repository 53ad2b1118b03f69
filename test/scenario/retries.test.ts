// What is tried again, how often, how much at once, and when an upstream as a whole is left alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect, headerOf } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { answers, byPath, type Member, member, members, picks, serves, tally } from './lib/member.ts'
import { rawServer } from './lib/raw-server.ts'
import { type Scope, timed, until } from './lib/wait.ts'

const upstreams: Record<string, Record<string, unknown>> = {}

async function upstream(name: string, letters: string, settings: object): Promise<Member[]> {
  const servers = await members(file, letters)
  upstreams[name] = { servers: servers.map(({ address }) => address), balance: 'first', ...settings }
  return servers
}

const BREAKER = { errors: '50%', minimum: 10, window: '2s', open: '600ms', ramp: '1500ms' }
const statuses = await upstream('statuses', 'abc', { retry: { statuses: [503, '520-529'], attempts: 2 } })
const budget = await upstream('budget', 'ab', { retry: { statuses: 503, attempts: 1 } })
const wide = await upstream('wide', 'ab', { retry: { statuses: 503, attempts: 1, budget: '100%' } })
const once = await upstream('once', 'ab', { retry: { attempts: 2 } })
const total = await upstream('total', 'ab', { timeouts: { total: '400ms' }, retry: { attempts: 5 } })
const slow = await upstream('slow', 'ab', { timeouts: { firstByte: '5s' }, retry: { attempts: 2 } })
const late = await upstream('late', 'ab', { timeouts: { firstByte: '300ms' }, retry: { attempts: 5, maxTime: '100ms' } })
const broken = await upstream('broken', 'a', {
  balance: 'least-connections',
  passiveHealth: { minimum: 1_000_000 },
  retry: { attempts: 0 },
  breaker: BREAKER,
})
const unwatched = await upstream('unwatched', 'a', { retry: { attempts: 0 }, breaker: BREAKER })
const patient = await upstream('patient', 'a', { retry: { attempts: 0 }, breaker: { ...BREAKER, latency: '60ms' } })
// Each connection is reset at its first byte, so that every attempt fails in the same way.
let resets: number[] = []
const hopeless = await rawServer(file, async (socket) => {
  await socket.readHead()
  resets.push(performance.now())
  socket.reset()
})
const comingBack = await freePort()
upstreams['backoff'] = { servers: [hopeless.address], retry: { attempts: 4, backoff: { base: '100ms', max: '200ms' } } }
upstreams['comingBack'] = { servers: [`127.0.0.1:${comingBack}`], retry: { attempts: 10, backoff: { base: '200ms', max: '400ms' } } }

const settings = byPath(upstreams)
const web = (settings['listeners'] as { web: { routes: object[] } }).web
web.routes.push(
  { match: { path: '/quick/' }, upstream: 'slow', timeouts: { firstByte: '150ms' }, retry: { attempts: 1 } },
  { match: { path: '/sole/' }, upstream: 'slow', timeouts: { firstByte: '150ms' }, retry: { attempts: 0 } },
  { match: { path: '/ours/' }, upstream: 'once', retry: { statuses: 503 } },
)
const weir = await startBalancer(file, settings)
const spread = await startBalancer(file, byPath({ broken: upstreams['broken'] as object as Record<string, unknown> }), { workers: 2 })

const get = (t: Scope, path: string) => ask(t, weir.port(), `GET ${path}`)
const countsOf = (servers: Member[]) => servers.map(({ requests }) => requests.length)
const reset = (servers: Member[], handle: Member['handle']) => {
  for (const server of servers) {
    server.handle = handle
    server.forget()
  }
}

test('statuses that are listed are tried again on another server', async (t) => {
  const [a, b, c] = statuses as [Member, Member, Member]
  a.handle = answers(503, 'a is busy')
  b.handle = answers(525, 'b is odd')
  const response = await get(t, '/statuses')
  assert.equal(response.text, 'c')
  assert.deepEqual(countsOf([a, b, c]), [1, 1, 1])
})

test('when all answer so, the last answer is passed on as it is', async (t) => {
  reset(statuses, answers(503, 'busy', { 'X-Reason': 'maintenance' }))
  const response = await get(t, '/statuses')
  assert.equal(response.status, 503)
  assert.equal(response.text, 'busy')
  assert.equal(headerOf(response, 'x-reason'), 'maintenance')
  assert.deepEqual(countsOf(statuses), [1, 1, 1])
})

test('a status that is not listed, and the answer to a POST, are passed on at once', async (t) => {
  reset(statuses, answers(500, 'failed'))
  assert.equal((await get(t, '/statuses')).text, 'failed')
  assert.deepEqual(countsOf(statuses), [1, 0, 0])
  reset(statuses, answers(503, 'busy'))
  assert.equal((await ask(t, weir.port(), 'POST /statuses', {}, 'order')).text, 'busy')
  assert.deepEqual(countsOf(statuses), [1, 0, 0])
})

test('a route has statuses of its own', async (t) => {
  const [a] = once as [Member]
  a.handle = answers(503, 'busy')
  assert.equal((await get(t, '/once')).text, 'busy')
  assert.equal((await get(t, '/ours/')).text, 'b')
})

/** Sends so many at once, and answers how many came to each server before any was answered. */
async function flood(t: Scope, path: string, count: number, [a, b]: [Member, Member]): Promise<{ first: number; again: number }> {
  const held: (() => void)[] = []
  reset([a, b], (_req, res) => void held.push(() => res.writeHead(503).end('busy')))
  const clients = await Promise.all(Array.from({ length: count }, () => connect(t, weir.port())))
  for (const client of clients) client.request(`GET ${path}`)
  await until(() => a.requests.length === count)
  for (const answer of held.splice(0)) answer()
  // Those that may not be tried again are answered; the others are at the second server, which holds them.
  const finished = () => clients.filter(({ reader }) => reader.pending.length > 0).length
  await until(() => finished() + b.requests.length === count, { what: `all ${count} are answered or tried again` })
  const again = b.requests.length
  for (const answer of held.splice(0)) answer()
  for (const client of clients) assert.equal((await client.readResponse()).text, 'busy')
  return { first: a.requests.length, again }
}

test('many failures at once do not multiply: retries are a fifth of what is in flight, or three', async (t) => {
  const pair = budget as [Member, Member]
  assert.deepEqual(await flood(t, '/budget', 3, pair), { first: 3, again: 3 })
  const few = await flood(t, '/budget', 8, pair)
  assert.equal(few.again, 3)
  const many = await flood(t, '/budget', 100, pair)
  assert.ok(many.again >= 3 && many.again <= 20, `${many.again} of 100 were tried again`)
  // What was used of the budget is given back.
  assert.deepEqual(await flood(t, '/budget', 3, pair), { first: 3, again: 3 })
})

test('a budget of all lets all be tried again', async (t) => {
  assert.deepEqual(await flood(t, '/wide', 40, wide as [Member, Member]), { first: 40, again: 40 })
})

test('one server that fails is asked again after random waits that grow to a limit', async (t) => {
  const waits: number[] = []
  for (let i = 0; i < 6; i++) {
    resets = []
    const { value, ms } = await timed(get(t, '/backoff'))
    assert.equal(value.status, 502)
    assert.equal(resets.length, 5, 'one attempt and four retries')
    assert.ok(ms < 900, `${ms} ms`)
    waits.push(...resets.slice(1).map((at, j) => at - (resets[j] as number)))
  }
  // Waits of up to 100, 200, 200 and 200 ms: on average half of that.
  assert.ok(Math.max(...waits) < 280, `${waits.map(Math.round)}`)
  const mean = waits.reduce((sum, ms) => sum + ms, 0) / waits.length
  assert.ok(mean > 40 && mean < 150, `${mean} ms on average`)
})

test('a server that comes back during the waits gets the request', async (t) => {
  const failing = await rawServer(t, async (socket) => (await socket.readHead(), socket.reset()), { port: comingBack })
  const client = await connect(t, weir.port())
  client.request('GET /comingBack')
  await until(() => failing.heads.length >= 2)
  await failing.close()
  await member(t, 'a', { port: comingBack })
  assert.equal((await client.readResponse()).text, 'a')
})

test('a route has timeouts and retries of its own', async (t) => {
  reset(slow, (_req, res) => void setTimeout(() => res.end('slow'), 700))
  const upstreamOwn = get(t, '/slow')
  const quick = await timed(get(t, '/quick/'))
  assert.equal(quick.value.status, 504)
  assert.ok(quick.ms > 280 && quick.ms < 650, `two attempts of 150 ms took ${quick.ms} ms`)
  const sole = await timed(get(t, '/sole/'))
  assert.equal(sole.value.status, 504)
  assert.ok(sole.ms > 140 && sole.ms < 290, `one attempt of 150 ms took ${sole.ms} ms`)
  assert.equal((await upstreamOwn).text, 'slow')
})

test('`total` ends an exchange with all its attempts, and a response in the middle', async (t) => {
  reset(total, () => undefined)
  const { value, ms } = await timed(get(t, '/total'))
  assert.equal(value.status, 504)
  assert.ok(ms > 350 && ms < 900, `${ms} ms`)
  let sent = 0
  reset(total, (_req, res) => {
    const timer = setInterval(() => res.write(`${sent++}`), 20)
    res.on('close', () => clearInterval(timer))
  })
  const client = await connect(t, weir.port())
  client.request('GET /total')
  assert.equal((await client.readHead()).status, 200)
  const { ms: cutAfter } = await timed(client.reader.takeRest())
  assert.ok(cutAfter > 250 && cutAfter < 900, `${cutAfter} ms`)
  assert.doesNotMatch(client.reader.pending.toString(), /\r\n0\r\n\r\n$/)
})

test('no retry begins after `maxTime`', async (t) => {
  reset(late, () => undefined)
  assert.equal((await get(t, '/late')).status, 504)
  assert.deepEqual(countsOf(late), [1, 0])
})

test('a breaker opens for all workers, spares the server, lets a growing share through, and closes', async (t) => {
  const [a] = broken as [Member]
  const says = (what: RegExp) => until(() => what.test(spread.log()), { what: `a log line like ${what}; it was ${spread.log()}` })
  await serves(t, spread.port(), 'a', { path: '/broken' })
  a.handle = answers(503, 'failed')
  await until(async () => (await picks(t, spread.port(), 5, 'GET /broken')) && /the breaker of broken is open/.test(spread.log()))
  await until(async () => (await picks(t, spread.port(), 6, 'GET /broken')).every((text) => text.startsWith('503: no server')))
  a.handle = answers(200, 'a')
  a.forget()
  assert.equal(tally(await picks(t, spread.port(), 10, 'GET /broken'))['a'], undefined)
  assert.equal(a.requests.length, 0, 'nothing comes to the server while the breaker is open')
  await says(/the breaker of broken is closing/)
  const early = await picks(t, spread.port(), 60, 'GET /broken')
  const passed = tally(early)['a'] ?? 0
  assert.ok(passed < 45, `${passed} of 60 passed at the beginning of the ramp`)
  await says(/the breaker of broken is closed/)
  await serves(t, spread.port(), 'a', { path: '/broken', count: 20 })
})

test('a breaker counts the statuses of a failing gateway, also where no server is watched', async (t) => {
  const [a] = unwatched as [Member]
  a.handle = answers(503, 'failed')
  const isOpen = async () => (await picks(t, weir.port(), 10, 'GET /unwatched')) && /the breaker of unwatched is open/.test(weir.log())
  await until(isOpen, { within: 2_000, what: 'the breaker is open' })
})

test('a breaker opens when answers take too long', async (t) => {
  const [a] = patient as [Member]
  a.handle = (_req, res) => void setTimeout(() => res.end('a'), 100)
  const isOpen = async () => (await Promise.all([1, 2, 3, 4, 5].map(() => get(t, '/patient')))).some(({ status }) => status === 503)
  await until(isOpen)
  assert.match(weir.log(), /the breaker of patient is open: \d+ ms to the first byte on average/)
})
