// The program is replaced while clients are connected: nobody is refused, nothing is lost, and one that does not get ready is taken back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Balancer, type BalancerOptions, rewriteConfig, startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { command, data } from './lib/command.ts'
import { isRunning } from './lib/processes.ts'
import { echo, startServer } from './lib/server.ts'
import { startLoad } from './lib/steady-load.ts'
import { type UpgradeLine, upgradeLine } from './lib/upgrade-line.ts'
import { inTime, until } from './lib/wait.ts'

type Settings = Record<string, unknown>

const QUIET = { health: 'off', passiveHealth: 'off', slowStart: 'off', queue: 'off', hold: 'off' }

function settings(servers: string[], top: Settings = {}, listeners: Settings = {}): Settings {
  return {
    workers: 2,
    listeners: { web: { bind: '127.0.0.1:0', upstream: 'app' }, ...listeners },
    upstreams: { app: { ...QUIET, servers } },
    shutdown: { grace: '5s', spread: '1s' },
    ...top,
  }
}

async function begin(t: TestContext, config: Settings, options: BalancerOptions = {}): Promise<{ weir: Balancer; line: UpgradeLine }> {
  const weir = await startBalancer(t, config, { losesProcesses: true, ...options })
  return { weir, line: upgradeLine(t, weir) }
}

/** POSTs one after the other, each on a connection of its own, until it is stopped. */
function posting(t: TestContext, port: number): { stop(): Promise<{ sent: number; failures: string[] }> } {
  let isOver = false
  let sent = 0
  const failures: string[] = []
  const run = async () => {
    while (!isOver) {
      const body = `post ${++sent}`
      const answer = await ask(t, port, 'POST /', {}, body).catch((error: Error) => error)
      if (answer instanceof Error) failures.push(answer.message)
      else if (answer.status !== 200) failures.push(`status ${answer.status}`)
    }
  }
  const done = Promise.all([run(), run()])
  return {
    async stop() {
      isOver = true
      await done
      return { sent, failures }
    },
  }
}

// UPGRADES=10 is the long run.
const UPGRADES = Number(process.env['UPGRADES'] ?? 4)

test(`${UPGRADES} upgrades in a row under load: nobody is refused and nothing fails`, { timeout: 180_000 }, async (t) => {
  const server = await startServer(t, (req, res) => void res.end(req.url))
  // The window of the default: a client that uses its connection now and then is told to leave by a response.
  const { weir, line } = await begin(t, settings([server.address], { shutdown: { grace: '25s', spread: '5s' } }))
  const load = startLoad(t, { port: weir.port(), rate: Number(process.env['UPGRADE_RATE'] ?? 200), connections: 1_000 })
  const posts = posting(t, weir.port())
  for (let i = 0; i < UPGRADES; i++) await line.upgrade()
  await load.stop()
  const { sent, failures } = await posts.stop()
  assert.equal(new Set(line.pids).size, UPGRADES + 1)
  assert.deepEqual(load.failures, [])
  assert.deepEqual(failures, [])
  assert.ok(load.sent > 500 && sent > 100, `only ${load.sent} requests and ${sent} posts`)
  await until(() => line.pids.slice(0, -1).every((pid) => !isRunning(pid)), { within: 40_000, what: 'the old ones end' })
  assert.deepEqual(await inTime(weir.exited), { code: 0, signal: null })
  assert.equal(weir.workerPids().length, 0)
})

test('a request that is in flight at the old process is finished there', async (t) => {
  let finish: (() => void) | undefined
  const server = await startServer(t, (_req, res) => {
    res.write('one ')
    finish = () => res.end('two')
  })
  const { weir, line } = await begin(t, settings([server.address]))
  const client = await connect(t, weir.port())
  client.request('GET /')
  const answer = client.readResponse({ within: 60_000 })
  await until(() => finish !== undefined)
  await line.upgrade()
  finish?.()
  assert.equal((await answer).text, 'one two')
})

test('what was changed at run time is still in force afterwards', async (t) => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => startServer(t, (_req, res) => void res.end(name), { name })))
  assert.ok(a && b && c)
  const { weir, line } = await begin(t, settings([a.address, b.address]))
  await data(weir, 'drain', `app/${a.address}`)
  await data(weir, 'add', 'app', c.address, '--name', 'third')
  await data(weir, 'weight', `app/${b.address}`, '50%')
  const before = await data<{ overrides: unknown[] }>(weir, 'status')
  assert.equal(before.overrides.length, 3)
  await line.upgrade()
  const after = await data<{ overrides: unknown[] }>(weir, 'status')
  assert.deepEqual(after.overrides, before.overrides)
  const names = new Set<string>()
  for (let i = 0; i < 24; i++) names.add((await ask(t, weir.port(), 'GET /')).text)
  assert.deepEqual([...names].sort(), ['b', 'c'])
})

test('a config that is invalid by now: the old process serves on, and the command says where', async (t) => {
  const server = await startServer(t, echo('a'))
  const { weir } = await begin(t, settings([server.address]))
  writeFileSync(weir.configFile, 'workers: 1\nlisteners: { web: { bnid: ":1" } }\n')
  const { code, stderr } = await command(weir, 'upgrade')
  assert.equal(code, 1)
  assert.match(stderr, /weir\.yaml:2:\d+: listeners\.web\.bnid: unknown key, did you mean "bind"\?/)
  await servesOn(t, weir)
})

test('a new listener whose port is in use: the old process serves on, and the command says which', async (t) => {
  const server = await startServer(t, echo('a'))
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const { weir } = await begin(t, settings([server.address]))
  rewriteConfig(weir, settings([server.address], {}, { more: { bind: `127.0.0.1:${port}`, upstream: 'app' } }))
  const { code, stderr } = await command(weir, 'upgrade')
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port} is in use`))
  await servesOn(t, weir)
})

async function servesOn(t: TestContext, weir: Balancer): Promise<void> {
  const status = await data<{ pid: number; state: string }>(weir, 'status')
  assert.deepEqual([status.pid, status.state], [weir.pid, 'running'])
  for (let i = 0; i < 4; i++) assert.equal((await ask(t, weir.port(), 'GET /')).status, 200)
  // Its workers, and nobody that the attempt has left behind.
  assert.equal(weir.workerPids().length, 2)
}

test('of two upgrades at once one is refused', async (t) => {
  const server = await startServer(t, echo('a'))
  const { weir, line } = await begin(t, settings([server.address]))
  const ends = await Promise.all([command(weir, 'upgrade', '--json'), command(weir, 'upgrade', '--json')])
  const pids = ends.filter(({ code }) => code === 0).map(({ stdout }) => (JSON.parse(stdout) as { data: { pid: number } }).data.pid)
  line.pids.push(...pids)
  // The second one may also have come after the first: then the new process was asked.
  for (const { code, stdout } of ends) if (code !== 0) assert.match(stdout, /"code":"refused"/)
  assert.ok(pids.length >= 1)
  const last = pids.at(-1) as number
  await until(() => [weir.pid, ...pids].every((pid) => pid === last || !isRunning(pid)), { within: 15_000, what: 'one is left' })
  for (let i = 0; i < 4; i++) assert.equal((await ask(t, weir.port(), 'GET /')).status, 200)
})

test('USR2 upgrades, and the pid file, the control socket and the readiness follow', async (t) => {
  const server = await startServer(t, echo('a'))
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as { port: number }
  await new Promise((resolve) => free.close(resolve))
  const pidFile = join('/tmp', `weir-upgrade-${process.pid}.pid`)
  const { weir, line } = await begin(t, settings([server.address], { pidFile, admin: { bind: `127.0.0.1:${port}` } }))
  const pidIn = () => Number(readFileSync(pidFile, 'utf8'))
  assert.equal(pidIn(), weir.pid)
  weir.signal('SIGUSR2')
  await until(() => pidIn() !== weir.pid, { within: 15_000, what: 'the pid file names the new one' })
  line.pids.push(pidIn())
  await inTime(weir.exited, { within: 20_000, what: 'the end of the old one' })
  assert.equal((await data<{ pid: number }>(weir, 'status')).pid, line.pid)
  await until(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200)
  process.kill(line.pid, 'SIGTERM')
  await until(() => !existsSync(pidFile), { within: 8_000, what: 'the pid file is removed' })
})
