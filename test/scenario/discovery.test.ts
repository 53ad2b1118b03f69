// Servers that DNS names: they appear, vanish and are checked like any other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, type DnsServer, srv, startDnsServer } from '../unit/discovery/lib/dns-server.ts'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { answers, byPath, Gate, type Member, member, picks, send, serves, tally } from './lib/member.ts'
import { until } from './lib/wait.ts'

// A name that does not resolve is tried again after 1 s, 2 s, 4 s; one that does is asked for again after its second is over.
const WITHIN = 10_000
const CHECK = { http: '/health', interval: '500ms', fastInterval: '50ms', downInterval: '100ms', timeout: '500ms', fall: 2, rise: 1 }

/** Servers on the same port of 127.0.0.2 and so on. */
async function neighbours(names: string): Promise<Member[]> {
  const all: Member[] = []
  for (const [i, name] of [...names].entries()) {
    const [first] = all
    all.push(await member(file, name, { host: `127.0.0.${i + 2}`, ...(first === undefined ? {} : { port: first.port }) }))
  }
  return all
}

const hostOf = ({ address }: Member) => address.split(':')[0] as string
const records = (servers: readonly Member[]) => servers.map((server) => a(hostOf(server), 1))
const [api, kept, late, changing] = [await neighbours('abc'), await neighbours('ab'), await neighbours('a'), await neighbours('ab')]
const services = [await member(file, 'a'), await member(file, 'b', { host: '127.0.0.2' }), await member(file, 'c')] as const
const dns: DnsServer = await startDnsServer(file, {
  'api.test': records(api.slice(0, 2)),
  'kept.test': records(kept),
  'changing.test': records(changing),
  // 127.0.0.2 is another host than 127.0.0.1, so each has a target of its own.
  'one.test': [a('127.0.0.1', 1)],
  'two.test': [a('127.0.0.2', 1)],
  '_http._tcp.test': [
    srv('one.test', services[0].port, { weight: 3, ttl: 1 }),
    srv('two.test', services[1].port, { weight: 1, ttl: 1 }),
    srv('one.test', services[2].port, { priority: 10, ttl: 1 }),
  ],
})

const named = (name: string, [first]: readonly Member[], more: object = {}) => ({ servers: [{ dns: `${name}:${first?.port}`, ...more }] })
const weir = await startBalancer(
  file,
  byPath({
    api: { ...named('api.test', api), health: CHECK, balance: 'round-robin' },
    kept: { ...named('kept.test', kept), balance: 'round-robin' },
    late: { ...named('late.test', late), health: CHECK, hold: { timeout: '400ms' } },
    held: { ...named('held.test', late), hold: { timeout: '8s' } },
    queued: { ...named('queued.test', late, { maxConnections: 1 }), queue: { timeout: '3s' }, hold: { timeout: '8s' } },
    changing: { ...named('changing.test', changing, { maxConnections: 1 }), queue: { timeout: '3s' }, balance: 'first' },
    srv: { servers: [{ srv: '_http._tcp.test' }], health: CHECK, balance: 'round-robin' },
    noService: { servers: [{ srv: '_none._tcp.test' }] },
  }),
  { workers: 2, env: { WEIR_DNS_SERVERS: dns.address } },
)

const isLogged = (what: RegExp) =>
  until(() => what.test(weir.log()), { within: WITHIN, what: `a log line like ${what}; it was ${weir.log()}` })

test('names that do not resolve keep nobody from starting, and their servers serve once they do', async (t) => {
  assert.match(weir.log(), /late\.test does not resolve/)
  assert.match(weir.log(), /SRV _none\._tcp\.test does not resolve/)
  assert.equal((await ask(t, weir.port(), 'GET /late')).status, 503)
  assert.equal((await ask(t, weir.port(), 'GET /noService')).status, 503)
  const held = await send(t, weir.port(), 'GET /held')
  for (const name of ['late.test', 'held.test', 'queued.test']) dns.zones.set(name, records(late))
  assert.equal((await held.readResponse({ within: WITHIN })).text, 'a')
  await serves(t, weir.port(), 'a', { path: '/late', within: WITHIN })
  assert.match(weir.log(), /late\.test resolves now/)
})

test('where no server was known at first, who waits for room gets it', async (t) => {
  const [only] = late as [Member]
  const gate = new Gate()
  await serves(t, weir.port(), 'a', { path: '/queued', within: WITHIN })
  only.handle = gate.handler('a')
  const clients = [await send(t, weir.port(), 'GET /queued/0')]
  await until(() => gate.size === 1)
  for (let i = 1; i < 6; i++) clients.push(await send(t, weir.port(), `GET /queued/${i}`))
  for (let i = 0; i < 6; i++) {
    await until(() => gate.size === 1, { what: `turn ${i}` })
    gate.next()
  }
  for (const client of clients) assert.equal((await client.readResponse()).text, 'a')
  only.handle = answers(200, 'a')
})

test('addresses that appear serve, and those that vanish no longer, but finish what they have', async (t) => {
  const [first] = api as [Member]
  const at = { path: '/api', within: WITHIN, count: 12 }
  await serves(t, weir.port(), 'ab', at)
  dns.zones.set('api.test', records(api))
  await serves(t, weir.port(), 'abc', at)
  assert.match(weir.log(), new RegExp(`api/${api[2]?.address} is new`))
  const gate = new Gate()
  first.handle = gate.handler('a')
  const clients = await Promise.all(Array.from({ length: 6 }, () => send(t, weir.port(), 'GET /api')))
  await until(() => gate.size >= 1)
  dns.zones.set('api.test', records(api.slice(1)))
  await isLogged(new RegExp(`api/${first.address} is removed`))
  await serves(t, weir.port(), 'bc', at)
  const held = gate.size
  gate.open()
  const texts = await Promise.all(clients.map(async (client) => (await client.readResponse()).text))
  assert.equal(tally(texts)['a'], held)
})

test('discovered servers are checked', async (t) => {
  const [, b] = api as [Member, Member]
  const at = { path: '/api', count: 12 }
  await serves(t, weir.port(), 'bc', at)
  b.checked = answers(503)
  await isLogged(new RegExp(`api/${b.address} is down: status 503`))
  await serves(t, weir.port(), 'c', at)
  b.checked = answers(200)
  await serves(t, weir.port(), 'bc', at)
})

test('the last good answer stays in force while DNS fails', async (t) => {
  for (const [zone, lookups] of [
    ['servfail', 2],
    ['nxdomain', 4],
  ] as const) {
    const asked = () => dns.questions.filter((question) => question === 'A kept.test').length
    const before = asked()
    dns.zones.set('kept.test', zone)
    await until(() => asked() >= before + lookups / 2, { within: WITHIN })
    await serves(t, weir.port(), 'ab', { path: '/kept' })
  }
  assert.match(weir.log(), /kept\.test does not resolve \(\w+\); the last good answer stays in force/)
})

test('SRV records bring ports, weights, and tiers by their priority', async (t) => {
  const [one, two, spare] = services
  const at = { path: '/srv', within: WITHIN }
  await serves(t, weir.port(), 'ab', { ...at, count: 12 })
  const { a: more = 0, b: less = 0 } = tally(await picks(t, weir.port(), 80, 'GET /srv'))
  assert.ok(Math.abs(more - 60) <= 2 && more + less === 80, `${more} and ${less}`)
  one.checked = answers(503)
  two.checked = answers(503)
  await serves(t, weir.port(), 'c', at)
  one.checked = answers(200)
  two.checked = answers(200)
  await serves(t, weir.port(), 'ab', at)
  dns.zones.set('_http._tcp.test', [srv('two.test', two.port, { ttl: 1 }), srv('one.test', spare.port, { ttl: 1 })])
  await serves(t, weir.port(), 'bc', at)
})

test('who waits for room gets it also when the servers of the list are others than before', async (t) => {
  for (const [i, present] of ['b', 'ab', 'a', 'ab', 'b'].entries()) {
    for (const server of changing) server.handle = answers(200, server.name)
    dns.zones.set('changing.test', records(changing.filter(({ name }) => present.includes(name))))
    const changes = () => weir.log().match(/changing\/\S+ is (new|removed)/g)?.length ?? 0
    await until(() => changes() === i + 1, { within: WITHIN, what: `the list is ${present}` })
    // `first` goes to the first of the list alone, unless that is full.
    await serves(t, weir.port(), present[0] as string, { path: '/changing' })
    const gate = new Gate()
    for (const server of changing) server.handle = gate.handler(server.name)
    const clients = await Promise.all(Array.from({ length: 10 }, () => send(t, weir.port(), 'GET /changing')))
    for (let turn = 0; turn < 10; turn++) {
      await until(() => gate.size > 0, { within: 2_000, what: `turn ${turn} with ${present}` })
      gate.next()
    }
    for (const client of clients) assert.equal((await client.readResponse()).status, 200, present)
  }
})
