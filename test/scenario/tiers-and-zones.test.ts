// Which group of servers takes the traffic, and in which shares.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { answers, byPath, Gate, type Member, members, picks, send, serves, tally } from './lib/member.ts'
import { type Scope, until } from './lib/wait.ts'

const CHECK = { http: '/health', interval: '500ms', fastInterval: '50ms', downInterval: '100ms', timeout: '500ms', fall: 2, rise: 2 }
const [tiered, zoned, split, remote, spilling, weighed] = (await Promise.all(
  ['abcd', 'abcd', 'abcdefgh', 'ab', 'ab', 'abc'].map((names) => members(file, names)),
)) as [Member[], Member[], Member[], Member[], Member[], Member[]]

const entries = (servers: Member[], more: (name: string, index: number) => object) =>
  servers.map(({ address, name }, index) => ({ address, name, ...more(name, index) }))
const weights = entries(weighed, (_name, index) => ({ weight: [1, 2, 5][index] }))
const policies = ['round-robin', 'power-of-two', 'least-connections', 'random']
const upstreams = {
  // a and b, then c, then d.
  tiered: { servers: entries(tiered, (name) => (name === 'c' ? { backup: true } : name === 'd' ? { tier: 2 } : {})), health: CHECK },
  zoned: { servers: entries(zoned, (name) => ({ zone: name < 'c' ? 'east' : 'west' })), health: CHECK },
  // Four in each zone: with two of the own ones left, half of its weight, it takes 50/70 of the traffic.
  split: { servers: entries(split, (name) => ({ zone: name < 'e' ? 'east' : 'west' })), health: CHECK, balance: 'round-robin' },
  remote: { servers: entries(remote, () => ({ zone: 'west' })) },
  spilling: { servers: entries(spilling, (name) => ({ zone: name === 'a' ? 'east' : 'west', maxConnections: 2 })) },
  ...Object.fromEntries(policies.map((balance) => [balance, { servers: weights, balance }])),
  shares: { servers: entries(weighed, (_name, index) => ({ weight: ['20%', '40%', '100%'][index] })), balance: 'round-robin' },
}
const weir = await startBalancer(file, byPath(upstreams, { zone: 'east' }), { workers: 2 })

const isLogged = (what: RegExp) => until(() => what.test(weir.log()), { what: `a log line like ${what}` })
async function fail(name: string, servers: Member[]): Promise<void> {
  for (const server of servers) {
    server.checked = answers(503)
    await isLogged(new RegExp(`${name}/${server.name} is down`))
  }
}

test('a tier serves while no server of an earlier one can, and the earlier one takes over again', async (t) => {
  const at = { path: '/tiered' }
  const [a, b, c] = tiered as [Member, Member, Member]
  await serves(t, weir.port(), 'ab', at)
  await fail('tiered', [a])
  await serves(t, weir.port(), 'b', at)
  await fail('tiered', [b])
  await serves(t, weir.port(), 'c', at)
  await fail('tiered', [c])
  await serves(t, weir.port(), 'd', at)
  b.checked = answers(200)
  await serves(t, weir.port(), 'b', at)
})

test('the own zone takes all traffic, and the others when it has no server left', async (t) => {
  const at = { path: '/zoned' }
  const [a, b] = zoned as [Member, Member]
  await serves(t, weir.port(), 'ab', { ...at, count: 20 })
  await fail('zoned', [a, b])
  await serves(t, weir.port(), 'cd', at)
  b.checked = answers(200)
  a.checked = answers(200)
  await serves(t, weir.port(), 'ab', at)
})

test('below 70 % of its weight the own zone keeps what it can, and the rest goes to the others', async (t) => {
  await serves(t, weir.port(), 'abcd', { path: '/split', count: 12 })
  await fail('split', split.slice(0, 1))
  await serves(t, weir.port(), 'bcd', { path: '/split', count: 12 })
  await fail('split', split.slice(1, 2))
  await until(async () => !(await picks(t, weir.port(), 12, 'GET /split')).includes('b'))
  const counts = tally(await picks(t, weir.port(), 400, 'GET /split'))
  const own = (counts['c'] ?? 0) + (counts['d'] ?? 0)
  // 286 of 400 are expected; four standard deviations are 36.
  assert.ok(own > 250 && own < 322, JSON.stringify(counts))
  assert.equal(Object.keys(counts).length, 6)
})

test('servers of other zones only are as good as any', (t) => serves(t, weir.port(), 'ab', { path: '/remote' }))

test('a full zone spills over', async (t) => {
  const gate = new Gate()
  for (const server of spilling) server.handle = gate.handler(server.name)
  for (let i = 0; i < 4; i++) {
    await send(t, weir.port(), 'GET /spilling')
    await until(() => gate.size === i + 1)
  }
  assert.deepEqual(
    spilling.map(({ inHand }) => inHand),
    [2, 2],
  )
  gate.open()
})

/** Eight clients at once, each with one request after the other. */
async function load(t: Scope, path: string, count: number): Promise<Record<string, number>> {
  const texts: string[] = []
  const lane = async () => {
    const client = await connect(t, weir.port())
    for (let i = 0; i < count / 8; i++) {
      client.request(`GET ${path}`)
      texts.push((await client.readResponse()).text)
    }
    client.socket.destroy()
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  return tally(texts)
}

for (const [path, tolerance] of [
  ['round-robin', 0.005],
  ['shares', 0.005],
  ['random', 0.04],
] as const) {
  test(`weights of 1, 2 and 5 are shares of an eighth, a quarter and five eighths: ${path}`, async (t) => {
    const COUNT = 1_600
    const counts = await load(t, `/${path}`, COUNT)
    for (const [name, share] of Object.entries({ a: 1 / 8, b: 2 / 8, c: 5 / 8 })) {
      const got = (counts[name] ?? 0) / COUNT
      assert.ok(Math.abs(got - share) <= tolerance, `${name} got ${got} in place of ${share}: ${JSON.stringify(counts)}`)
    }
  })
}

for (const path of ['power-of-two', 'least-connections']) {
  test(`under load weights of 1, 2 and 5 hold as shares: ${path}`, async (t) => {
    for (const server of weighed) server.handle = (_req, res) => void setTimeout(() => res.end(server.name), 4)
    const COUNT = 64
    const texts: string[] = []
    const lane = async () => {
      const client = await connect(t, weir.port())
      for (let i = 0; i < 20; i++) {
        client.request(`GET /${path}`)
        texts.push((await client.readResponse()).text)
      }
    }
    await Promise.all(Array.from({ length: COUNT }, lane))
    const counts = tally(texts)
    for (const [name, share] of Object.entries({ a: 1 / 8, b: 2 / 8, c: 5 / 8 })) {
      const got = (counts[name] ?? 0) / texts.length
      assert.ok(Math.abs(got - share) <= 0.06, `${name} got ${got} in place of ${share}: ${JSON.stringify(counts)}`)
    }
  })
}
