// The policies that are not about turns: where a key decides, where chance does, and where time does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { answers, Gate, type Member, members, picks, send, tally } from './lib/member.ts'
import { type Scope, until } from './lib/wait.ts'

const fixed = await members(file, 'abcd')
const mortal = await members(file, 'abcd')
const timely = (await members(file, 'fs')) as [Member, Member]
const crowded = await members(file, 'abcd')

const addressesOf = (servers: readonly Member[]) => servers.map(({ address }) => address)
const hashed = (key: string, hash: object = {}, servers = fixed, more: object = {}) => ({
  servers: addressesOf(servers),
  balance: 'consistent-hash',
  hash: { key, ...hash },
  ...more,
})
const CHECKED = {
  health: { tcp: true, interval: '500ms', fastInterval: '50ms', downInterval: '100ms', timeout: '500ms', fall: 2, rise: 2 },
}
const QUIET = { health: 'off', passiveHealth: 'off', slowStart: 'off', queue: 'off', hold: 'off' }
const listed: Record<string, object> = {
  header: hashed('header:X-User'),
  cookie: hashed('cookie:user'),
  query: hashed('query:user'),
  path: hashed('path'),
  ip: hashed('client-ip'),
  source: { servers: addressesOf(fixed), balance: 'source-hash' },
  ring: hashed('header:X-User', { table: 'ring' }, mortal, CHECKED),
  maglev: hashed('header:X-User', { table: 'maglev' }, mortal, CHECKED),
  rendezvous: hashed('header:X-User', { table: 'rendezvous' }, mortal, CHECKED),
  unchecked: hashed('header:X-User', {}, mortal),
  bounded: hashed('header:X-User', { boundedLoad: 1.25 }, crowded),
  unbounded: hashed('header:X-User', {}, crowded),
  first: { servers: fixed.map(({ address }) => ({ address, maxConnections: 1 })), balance: 'first' },
  random: { servers: addressesOf(fixed), balance: 'random' },
  time: { servers: addressesOf(timely), balance: 'least-time' },
}
const upstreams = Object.fromEntries(Object.entries(listed).map(([name, upstream]) => [name, { ...QUIET, ...upstream }]))
// A function needs a module; it is the only one that the others could not be written with.
const text = `const upstreams = ${JSON.stringify(upstreams)}
upstreams.function = { ...upstreams.header, hash: { key: (request) => request.path + '|' + request.header('X-User').toUpperCase() } }
const routes = Object.keys(upstreams).map((name) => ({ match: { path: ['=/' + name, '/' + name + '/'] }, upstream: name }))
export default {
  workers: 2,
  listeners: {
    web: { bind: '127.0.0.1:0', routes },
    raw: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'source' },
  },
  upstreams,
  shutdown: { grace: '1s' },
}
`
const weir = await startBalancer(file, text, { fileName: 'weir.config.mjs' })

type Asking = (scope: Scope, name: string, key: number) => Promise<string>

const byHeader: Asking = async (t, name, key) => (await ask(t, weir.port(), `GET /${name}`, { 'X-User': `user-${key}` })).text
const waysToAsk: Record<string, Asking> = {
  header: byHeader,
  cookie: async (t, name, key) => (await ask(t, weir.port(), `GET /${name}`, { Cookie: `other=1; user=u${key}` })).text,
  query: async (t, name, key) => (await ask(t, weir.port(), `GET /${name}?other=1&user=u${key}`)).text,
  path: async (t, name, key) => (await ask(t, weir.port(), `GET /${name}/${key}?t=${Math.random()}`)).text,
  ip: async (t, name, key) => (await askFrom(t, key, `GET /${name}`)).text,
  source: async (t, name, key) => (await askFrom(t, key, `GET /${name}`)).text,
  function: byHeader,
}

const from = (key: number) => ({ host: '127.0.0.1', port: weir.port(), localAddress: `127.0.1.${key + 1}` })
const askFrom = (t: Scope, key: number, line: string) => ask(t, from(key), line)

/** Who answers each key. */
async function placesOf(t: Scope, name: string, count: number): Promise<string[]> {
  const places: string[] = []
  for (let key = 0; key < count; key++) places.push(await (waysToAsk[name] ?? byHeader)(t, name, key))
  return places
}

for (const name of Object.keys(waysToAsk)) {
  test(`the same key comes to the same server, whichever worker it meets: ${name}`, async (t) => {
    const places = await placesOf(t, name, 40)
    // Every connection is a new one, so both workers are asked.
    for (let round = 0; round < 3; round++) assert.deepEqual(await placesOf(t, name, 40), places)
    const counts = tally(places)
    assert.equal(Object.keys(counts).length, 4, JSON.stringify(counts))
  })
}

test('what a function returns is the key', async (t) => {
  const say = async (user: string) => (await ask(t, weir.port(), 'GET /function', { 'X-User': user })).text
  for (let key = 0; key < 30; key++) assert.equal(await say(`abc-${key}`), await say(`ABC-${key}`))
})

test('a TCP connection comes to the server of its client address', async (t) => {
  const target = (key: number) => ({ ...from(key), port: weir.port('raw') })
  for (let key = 0; key < 20; key++) {
    assert.equal((await ask(t, target(key))).text, (await askFrom(t, key, 'GET /source')).text, `client ${key}`)
  }
})

test('when a server goes, only its keys move, and they come back with it', async (t) => {
  const KEYS = 80
  const tables = ['ring', 'maglev', 'rendezvous']
  const before = new Map<string, string[]>()
  for (const name of [...tables, 'unchecked']) before.set(name, await placesOf(t, name, KEYS))
  const [, b] = mortal as [Member, Member]
  await b.stop()
  // Also before anybody has called it down.
  checkMoved('unchecked', before, await placesOf(t, 'unchecked', KEYS), 0)
  const isSaid = (state: string) => until(() => tables.every((name) => new RegExp(`${name}/${b.address} is ${state}`).test(weir.log())))
  await isSaid('down')
  // Maglev moves a few of the others: that is the price of its evenness.
  for (const name of tables) checkMoved(name, before, await placesOf(t, name, KEYS), name === 'maglev' ? 0.15 * KEYS : 0)
  await b.start()
  await isSaid('up')
  // The primary says so a moment before every worker has heard it.
  for (const name of tables) await until(async () => assert.deepEqual(await placesOf(t, name, KEYS), before.get(name), name) ?? true)
})

function checkMoved(name: string, before: Map<string, string[]>, after: string[], mostOthers: number): void {
  const places = before.get(name) as string[]
  assert.ok(!after.includes('b'), `${name}: nobody is at the server that went`)
  const moved = places.filter((place, key) => place !== 'b' && place !== after[key])
  assert.ok(moved.length <= mostOthers, `${name}: ${moved.length} keys of other servers moved`)
  const orphans = new Set(after.filter((_, key) => places[key] === 'b'))
  assert.ok(orphans.size >= 2, `${name}: its keys are spread over the others`)
}

test('a bounded load sends what is too much for the server of a key to the next one', async (t) => {
  const gate = new Gate()
  for (const server of crowded) server.handle = gate.handler(server.name)
  for (const { name, most, servers } of [
    { name: 'unbounded', most: 20, servers: 1 },
    // 1.25 times the average of five, rounded up, and one that may slip in between the workers.
    { name: 'bounded', most: 8, servers: 4 },
  ]) {
    for (const server of crowded) server.forget()
    for (let i = 0; i < 20; i++) {
      await send(t, weir.port(), `GET /${name}`, { 'X-User': 'everybody' })
      await until(() => crowded.reduce((sum, server) => sum + server.requests.length, 0) === i + 1)
    }
    const counts = crowded.map(({ requests }) => requests.length)
    assert.ok(Math.max(...counts) <= most, `${name}: ${counts}`)
    assert.equal(counts.filter((count) => count > 0).length, servers, `${name}: ${counts}`)
    for (let i = 0; i < 20; i++) gate.next()
    await until(() => crowded.every(({ inHand }) => inHand === 0))
  }
})

test('`first` takes the first server that is not full', async (t) => {
  assert.deepEqual(tally(await picks(t, weir.port(), 12, 'GET /first')), { a: 12 })
  const gate = new Gate()
  const [a, b] = fixed as [Member, Member]
  t.after(() => {
    for (const server of [a, b]) server.handle = answers(200, server.name)
    gate.open()
  })
  a.handle = gate.handler('a')
  b.handle = gate.handler('b')
  for (let busy = 1; busy <= 2; busy++) {
    await send(t, weir.port(), 'GET /first')
    await until(() => gate.size === busy)
    if (busy === 1) assert.equal(a.inHand, 1)
  }
  assert.deepEqual(tally(await picks(t, weir.port(), 6, 'GET /first')), { c: 6 })
  gate.open()
  for (const server of [a, b]) server.handle = answers(200, server.name)
  await until(async () => (await ask(t, weir.port(), 'GET /first')).text === 'a')
})

test('`random` reaches all servers alike, in no order', async (t) => {
  const names = await picks(t, weir.port(), 240, 'GET /random')
  const counts = Object.values(tally(names))
  assert.equal(counts.length, 4)
  // Sixty each; five standard deviations are 34.
  for (const count of counts) assert.ok(count > 26 && count < 94, `${count} of 240`)
  assert.ok(
    names.some((name, i) => name === names[i + 1]),
    'the same server twice in a row',
  )
})

test('`least-time` prefers the server that answers sooner, and finds it again after it was slow', async (t) => {
  const [fast, slow] = timely
  slow.handle = (_req, res) => void setTimeout(() => res.end('s'), 40)
  const shareOf = (texts: string[], name: string) => (tally(texts)[name] ?? 0) / texts.length
  const settled = async (name: string) => shareOf(await picks(t, weir.port(), 60, 'GET /time'), name) >= 0.85
  await until(() => settled('f'), { what: 'the fast server takes most', within: 8_000 })
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, weir.port())))
  for (const client of clients) client.request('GET /time')
  const texts = await Promise.all(clients.map(async (client) => (await client.readResponse()).text))
  assert.ok(shareOf(texts, 'f') >= 0.5, `of ${texts}`)
  fast.handle = (_req, res) => void setTimeout(() => res.end('f'), 40)
  slow.handle = answers(200, 's')
  await until(() => settled('s'), { what: 'the other one takes most', within: 15_000 })
})
