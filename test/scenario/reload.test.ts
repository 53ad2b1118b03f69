// The config changes while clients are connected: what did not change is not touched, and what cannot be applied changes nothing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectControl } from '../../src/cli/control-client.ts'
import { type Balancer, rewriteConfig, startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { command, data } from './lib/command.ts'
import { answers, type Member, members } from './lib/member.ts'
import { noteAddress } from './lib/transport.ts'
import { until } from './lib/wait.ts'

type Settings = Record<string, unknown>

const QUIET = { health: 'off', passiveHealth: 'off', slowStart: 'off', queue: 'off', hold: 'off', balance: 'round-robin' }

function settings(servers: (string | Settings)[], listeners: Settings = { web: { bind: '127.0.0.1:0', upstream: 'app' } }): Settings {
  return { workers: 2, listeners, upstreams: { app: { ...QUIET, servers } }, shutdown: { grace: '3s', spread: '0s' } }
}

async function begin(t: TestContext, names = 'ab'): Promise<{ weir: Balancer; servers: Member[]; addresses: string[] }> {
  const servers = await members(t, names)
  const addresses = servers.map(({ address }) => address)
  const weir = await startBalancer(t, settings(addresses))
  return { weir, servers, addresses }
}

test('a server that is added by a reload gets traffic, one that is removed gets no more, and connections live on', async (t) => {
  const { weir, addresses } = await begin(t, 'abc')
  rewriteConfig(weir, settings(addresses.slice(0, 2)))
  const client = await connect(t, weir.port())
  client.request('GET /')
  await client.readResponse()
  const first = await data<{ steps: { at: string; what: string }[] }>(weir, 'reload')
  assert.deepEqual(
    first.steps.map(({ what }) => what),
    ['remove'],
  )
  for (let i = 0; i < 12; i++) assert.match((await ask(t, weir.port(), 'GET /')).text, /^[ab]$/)
  rewriteConfig(weir, settings(addresses))
  await command(weir, 'reload')
  const seen = new Set<string>()
  for (let i = 0; i < 24; i++) seen.add((await ask(t, weir.port(), 'GET /')).text)
  assert.deepEqual([...seen].sort(), ['a', 'b', 'c'])
  client.request('GET /')
  assert.equal((await client.readResponse()).status, 200, 'the connection of before')
})

test('a request that runs on a server that is removed is finished', async (t) => {
  const { weir, servers, addresses } = await begin(t)
  const [a] = servers as [Member]
  let finish = () => {}
  a.handle = (_req, res) => {
    res.write('one ')
    finish = () => res.end('two')
  }
  const isThere = () => a.inHand === 1
  const attempt = async () => {
    const client = await connect(t, weir.port())
    client.request('GET /')
    await until(() => isThere() || client.reader.pending.length > 0)
    return client
  }
  let client = await attempt()
  while (!isThere()) client = await attempt()
  rewriteConfig(weir, settings(addresses.slice(1)))
  assert.equal((await command(weir, 'reload')).code, 0)
  for (let i = 0; i < 8; i++) assert.equal((await ask(t, weir.port(), 'GET /')).text, 'b')
  finish()
  assert.equal((await client.readResponse()).text, 'one two')
})

test('listeners come and go, and what they have open is finished', async (t) => {
  const { weir, addresses } = await begin(t)
  const web = { bind: '127.0.0.1:0', upstream: 'app' }
  rewriteConfig(
    weir,
    settings(addresses, {
      web,
      more: { bind: '127.0.0.1:0', upstream: 'app' },
      raw: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'app' },
    }),
  )
  assert.equal((await command(weir, 'reload')).code, 0)
  const { listeners } = await data<{ listeners: { name: string; addresses: string[] }[] }>(weir, 'status')
  for (const { addresses: given } of listeners) given.forEach(noteAddress)
  const portOf = (name: string) => Number(new URL(listeners.find((one) => one.name === name)?.addresses[0] as string).port)
  assert.equal(portOf('web'), weir.port(), 'a listener that did not change keeps its socket')
  for (const name of ['web', 'more', 'raw']) assert.match((await ask(t, portOf(name), 'GET /')).text, /^[ab]$/)
  const idle = await connect(t, portOf('more'))
  idle.request('GET /')
  await idle.readResponse()
  const raw = await connect(t, portOf('raw'))
  raw.request('GET /')
  await raw.readResponse()
  rewriteConfig(weir, settings(addresses, { web }))
  assert.equal((await command(weir, 'reload')).code, 0)
  await idle.reader.takeRest()
  await assert.rejects(connect(t, portOf('more')), /ECONNREFUSED/)
  await assert.rejects(connect(t, portOf('raw')), /ECONNREFUSED/)
  raw.request('GET /')
  assert.equal((await raw.readResponse()).status, 200, 'a tunnel of a listener that is gone')
  assert.equal((await ask(t, weir.port(), 'GET /')).status, 200)
})

test('a config with an error is refused with its place, and what was in force still is', async (t) => {
  const { weir } = await begin(t)
  rewriteConfig(weir, 'listeners:\n  web:\n    bind: 127.0.0.1:0\n    upstreem: app\nupstreams: { app: { servers: [] } }\n')
  const { code, stderr } = await command(weir, 'reload')
  assert.equal(code, 1)
  assert.match(stderr, /weir\.yaml:4:5/)
  assert.match(stderr, /upstreem/)
  assert.match((await ask(t, weir.port(), 'GET /')).text, /^[ab]$/)
  const { lastReload } = await data<{ lastReload: { ok: boolean } }>(weir, 'status')
  assert.equal(lastReload.ok, false)
})

test('a port in use undoes the whole reload', async (t) => {
  const { weir, addresses } = await begin(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  rewriteConfig(
    weir,
    settings(addresses.slice(0, 1), {
      web: { bind: '127.0.0.1:0', upstream: 'app' },
      taken: { bind: `127.0.0.1:${port}`, upstream: 'app' },
    }),
  )
  const { code, stderr } = await command(weir, 'reload')
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port} is in use`))
  const seen = new Set<string>()
  for (let i = 0; i < 8; i++) seen.add((await ask(t, weir.port(), 'GET /')).text)
  assert.deepEqual([...seen].sort(), ['a', 'b'])
})

test('a worker that dies half-way undoes the whole reload, and is replaced', async (t) => {
  const servers = await members(t, 'ab')
  const addresses = servers.map(({ address }) => address)
  const weir = await startBalancer(t, settings(addresses), { losesProcesses: true })
  const [victim, other] = weir.workerPids() as [number, number]
  // It cannot agree while it is stopped, and never will.
  process.kill(victim, 'SIGSTOP')
  rewriteConfig(weir, settings(addresses.slice(0, 1)))
  const control = await connectControl(join(weir.folder, 'weir.sock'))
  t.after(() => control.close())
  const reload = command(weir, 'reload')
  await until(async () => (await control.ask('status', {})).data.state === 'reloading', {
    within: 15_000,
    what: 'the reload is on its way',
  })
  process.kill(victim, 'SIGKILL')
  const { code, stderr } = await reload
  assert.equal(code, 1)
  assert.match(stderr, /worker \d ended \(SIGKILL\)/)
  await until(() => weir.workerPids().length === 2 && !weir.workerPids().includes(victim), { what: 'it is replaced' })
  assert.ok(weir.workerPids().includes(other))
  await until(async () => {
    const seen = new Set<string>()
    for (let i = 0; i < 8; i++) seen.add((await ask(t, weir.port(), 'GET /')).text)
    return seen.size === 2
  })
})

test('what commands said survives a reload, and plan names what contradicts', async (t) => {
  const { weir, addresses } = await begin(t, 'abc')
  const [a, b, c] = addresses as [string, string, string]
  rewriteConfig(weir, settings([a, { address: b, weight: 2 }]))
  assert.equal((await command(weir, 'reload')).code, 0)
  assert.equal((await command(weir, 'drain', `app/${a}`)).code, 0)
  assert.equal((await command(weir, 'weight', `app/${b}`, '50%')).code, 0)
  assert.equal((await command(weir, 'add', 'app', c)).code, 0)
  rewriteConfig(weir, settings([a, { address: b, weight: 6 }]))
  const plan = await data<{ conflicts: { server: string }[]; steps: { at: string }[] }>(weir, 'plan')
  assert.deepEqual(
    plan.conflicts.map(({ server }) => server),
    [`app/${b}`],
  )
  assert.equal((await command(weir, 'reload')).code, 0)
  const { upstreams, overrides } = await data<{
    overrides: { server: string; what: string }[]
    upstreams: { servers: { address: string; admin: string; weightShare: number; source: string }[] }[]
  }>(weir, 'status')
  assert.deepEqual(
    upstreams[0]?.servers.map(({ address, admin, weightShare, source }) => [address, admin, weightShare, source]),
    [
      [a, 'drain', 1, 'config'],
      [b, 'ready', 0.5, 'config'],
      [c, 'ready', 1, 'added'],
    ],
  )
  assert.equal(overrides.length, 3)
  for (let i = 0; i < 12; i++) assert.match((await ask(t, weir.port(), 'GET /')).text, /^[bc]$/)
})

test('HUP reloads', async (t) => {
  const { weir, addresses, servers } = await begin(t)
  for (const server of servers) server.handle = answers(200, server.name)
  rewriteConfig(weir, settings(addresses.slice(0, 1)))
  process.kill(weir.pid, 'SIGHUP')
  await until(() => /1 change applied/.test(weir.log()), { what: 'the log tells of it' })
  for (let i = 0; i < 8; i++) assert.equal((await ask(t, weir.port(), 'GET /')).text, 'a')
})
