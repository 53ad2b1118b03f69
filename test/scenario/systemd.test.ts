// What systemd does for a service, done by hand: it passes sockets, hears what weir says, and looks whether it lives.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { type Balancer, MAIN, NODE, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { command, data } from './lib/command.ts'
import { config } from './lib/config.ts'
import { isRunning } from './lib/processes.ts'
import { echo, startServer } from './lib/server.ts'
import { findTool, folderFor, needsTools } from './lib/tools.ts'
import { inTime, until } from './lib/wait.ts'

const packaging = (name: string) => fileURLToPath(new URL(`../../packaging/${name}`, import.meta.url))

interface Activated {
  child: ChildProcess
  folder: string
  log(): string
}

/** Starts weir as systemd does: with listening sockets from descriptor 3 on, and its own process id in the environment. */
function activate(t: TestContext, settings: Record<string, unknown>, fds: number[]): Activated {
  const folder = folderFor(t, 'activated')
  const file = join(folder, 'weir.yaml')
  writeFileSync(file, stringify(settings))
  const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', NODE, MAIN, 'run', file], {
    env: { ...process.env, XDG_RUNTIME_DIR: folder, LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: 'web:spare' },
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part: string) => (text += part))
  t.after(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null)
      await inTime(once(child, 'exit'), { within: 8_000 }).catch(() => child.kill('SIGKILL'))
  })
  return { child, folder, log: () => text }
}

/** A listening socket that nobody accepts from once `leave` was called; it stays open in processes that have inherited it. */
async function socket(): Promise<{ fd: number; port: number; leave(): Promise<void> }> {
  const server = createServer((client) => client.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  return { fd, port, leave: () => new Promise((resolve) => server.close(() => resolve())) }
}

test('sockets of systemd are taken for the listeners of the same address, and others are closed with a line', async (t) => {
  const server = await startServer(t, echo('a'))
  const [web, spare] = [await socket(), await socket()]
  const weir = activate(t, config({ servers: [server.address], listener: { bind: `127.0.0.1:${web.port}` } }), [web.fd, spare.fd])
  await Promise.all([web.leave(), spare.leave()])
  await until(() => / ready \(/.test(weir.log()), { within: 20_000, what: 'it is ready' })
  assert.equal((await ask(t, web.port, 'GET /')).status, 200)
  assert.match(weir.log(), new RegExp(`inherited socket 127\\.0\\.0\\.1:${spare.port} from systemd \\(spare\\) is closed`))
  await assert.rejects(ask(t, spare.port, 'GET /'), 'a connection would wait for ever')
})

test('a socket of systemd goes on to the successor', async (t) => {
  const server = await startServer(t, echo('a'))
  const web = await socket()
  const weir = activate(t, config({ servers: [server.address], listener: { bind: `127.0.0.1:${web.port}` } }), [web.fd])
  await web.leave()
  await until(() => / ready \(/.test(weir.log()), { within: 20_000, what: 'it is ready' })
  // The old one may be gone before the command is.
  const ended = once(weir.child, 'exit')
  const { pid } = await data<{ pid: number }>(weir, 'upgrade')
  t.after(() => endOther(pid))
  await inTime(ended, { within: 20_000, what: 'the end of the old one' })
  assert.equal((await ask(t, web.port, 'GET /')).status, 200)
})

async function endOther(pid: number): Promise<void> {
  if (isRunning(pid)) process.kill(pid, 'SIGTERM')
  await until(() => !isRunning(pid), { within: 8_000 }).catch(() => process.kill(pid, 'SIGKILL'))
}

interface Listener {
  env: Record<string, string>
  /** All that was said so far. */
  said(): string
}

/** A socket like systemd's own. */
async function notifySocket(t: TestContext): Promise<Listener | null> {
  const tools = needsTools(t, ['socat'])
  if (!tools) return null
  const path = join(folderFor(t, 'notify'), 'notify')
  const child = spawn(tools.socat, ['-u', `UNIX-RECV:${path}`, 'STDOUT'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill())
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  await until(() => existsSync(path))
  return { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' }, said: () => text }
}

async function begin(t: TestContext, { env }: Listener): Promise<Balancer> {
  const server = await startServer(t, echo('a'))
  return startBalancer(t, config({ servers: [server.address] }), { env, losesProcesses: true })
}

const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0

test('systemd hears that weir serves, lives, reloads and stops', async (t) => {
  const systemd = await notifySocket(t)
  if (!systemd) return
  const weir = await begin(t, systemd)
  await until(() => /READY=1/.test(systemd.said()))
  await until(() => count(systemd.said(), /WATCHDOG=1/g) >= 3, { what: 'the watchdog is fed' })
  assert.equal((await command(weir, 'reload')).code, 0)
  await until(() => /RELOADING=1\nMONOTONIC_USEC=\d+[\s\S]*READY=1/.test(systemd.said()))
  weir.signal('SIGTERM')
  await until(() => /STOPPING=1/.test(systemd.said()))
})

test('systemd is told which process is the main one after an upgrade, and hears from that one', async (t) => {
  const systemd = await notifySocket(t)
  if (!systemd) return
  const weir = await begin(t, systemd)
  const { pid } = await data<{ pid: number }>(weir, 'upgrade')
  t.after(() => endOther(pid))
  await until(() => systemd.said().includes(`MAINPID=${pid}`))
  await inTime(weir.exited, { within: 20_000, what: 'the end of the old one' })
  assert.doesNotMatch(systemd.said(), /STOPPING=1/, 'the service goes on')
  const before = count(systemd.said(), /WATCHDOG=1/g)
  await until(() => count(systemd.said(), /WATCHDOG=1/g) > before + 1, { what: 'the new one feeds the watchdog' })
})

test('the unit files are valid', async (t) => {
  if (!needsTools(t, ['systemd-analyze'])) return
  const folder = folderFor(t, 'units')
  const unit = readFileSync(packaging('weir.service'), 'utf8')
  assert.match(unit, /^ExecStart=\/usr\/bin\/weir run /m)
  // The program of the unit is not installed here.
  writeFileSync(join(folder, 'weir.service'), unit.replaceAll('/usr/bin/weir', findTool('true') ?? '/bin/true'))
  copyFileSync(packaging('weir.socket'), join(folder, 'weir.socket'))
  const { stderr } = await verify([join(folder, 'weir.service'), join(folder, 'weir.socket')])
  assert.equal(stderr, '')
})

async function verify(units: string[]): Promise<{ stderr: string }> {
  const child = spawn('systemd-analyze', ['verify', ...units], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  const [code] = (await once(child, 'close')) as [number]
  return { stderr: code === 0 ? stderr : `${stderr}exit ${code}` }
}
