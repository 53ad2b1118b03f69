import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Successor, startSuccessor } from '../../../src/primary/upgrade.ts'
import { ControlError } from '../../../src/shared/control/requests.ts'
import { inTime, until } from '../../scenario/lib/wait.ts'

const script = (name: string) => ['--import', 'tsx', fileURLToPath(new URL(`lib/${name}-program.ts`, import.meta.url))]

async function listen(t: TestContext): Promise<{ server: Server; port: number; fd: number }> {
  const server = createServer((socket) => socket.end('old'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  return { server, port: (server.address() as AddressInfo).port, fd }
}

function start(
  how: string,
  fds: number[],
  options: { timeoutMs?: number; probe?: string[]; signal?: AbortSignal } = {},
): Promise<Successor> {
  return startSuccessor({
    sockets: fds.map((fd) => ({ fd, bind: '127.0.0.1:0', owner: 'weir' as const })),
    state: { weights: { 'api/a': '50%' } },
    log: () => undefined,
    program: { file: process.execPath, args: [...script('successor'), how], probe: options.probe ?? [...script('successor'), '--version'] },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  })
}

async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  for await (const bytes of socket) text += String(bytes)
  return text
}

function isAlive(pid: number): boolean {
  // A zombie still has its folder in /proc, but no command line.
  return existsSync(`/proc/${pid}/exe`)
}

async function failureOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    assert.ok(error instanceof ControlError)
    assert.equal(error.code, 'failed')
    return error.message
  }
  return assert.fail('it was started')
}

test('a successor serves on the sockets that it is handed, with the state, and lives on when it is released', async (t) => {
  const { server, port, fd } = await listen(t)
  const { pid, release } = await start('well', [fd])
  t.after(() => void process.kill(pid, 'SIGKILL'))
  release()
  await new Promise((resolve) => server.close(resolve))
  const facts = JSON.parse(await ask(port)) as Record<string, unknown>
  assert.deepEqual(facts['sockets'], [{ fd: 4, bind: '127.0.0.1:0', owner: 'weir' }])
  assert.deepEqual(facts['state'], { weights: { 'api/a': '50%' } })
  assert.equal(facts['pid'], pid)
  assert.equal(facts['env'], null, 'a worker would take itself for a successor')
  await until(async () => (JSON.parse(await ask(port)) as { pid: number }).pid === pid)
})

test('what a successor forks does not inherit the sockets beside the way it is given them', async (t) => {
  const { server, port, fd } = await listen(t)
  const { pid, release } = await start('well', [fd])
  t.after(() => void process.kill(pid, 'SIGKILL'))
  release()
  await new Promise((resolve) => server.close(resolve))
  assert.equal((JSON.parse(await ask(port)) as { inherited: string }).inherited, '')
})

test('a successor outlives the process that started it', async (t) => {
  const old = spawn(process.execPath, [...script('old'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await inTime(once(old.stdout, 'data'), { within: 10_000, what: 'its successor' })) as [Buffer]
  const { pid, port } = JSON.parse(String(line)) as { pid: number; port: number }
  t.after(() => void process.kill(pid, 'SIGKILL'))
  if (old.exitCode === null) await once(old, 'exit')
  assert.equal((JSON.parse(await ask(port)) as { pid: number }).pid, pid)
})

test('a successor that says that it cannot serve is ended, with its reason in the answer', async (t) => {
  const { port, fd } = await listen(t)
  const message = await failureOf(start('fails', [fd]))
  assert.match(message, /^the new weir did not get ready: weir\.yaml:3: no such thing/)
  assert.equal(await ask(port), 'old')
})

test('a successor that ends is reported with what it wrote last', async (t) => {
  const { port, fd } = await listen(t)
  assert.equal(await failureOf(start('exits', [fd])), 'the new weir did not get ready: it ended (exit 3)\n  first line\n  the last words')
  assert.equal(await ask(port), 'old')
})

test('a successor that is late is ended with all that it has forked', async (t) => {
  const { port, fd } = await listen(t)
  const message = await failureOf(start('hangs', [fd], { timeoutMs: 3_000 }))
  assert.match(message, /it was not ready within 3 s/)
  const worker = Number(/worker (\d+) is waited for/.exec(message)?.[1])
  await until(() => !isAlive(worker), { what: `the end of its worker ${worker}` })
  assert.equal(await ask(port), 'old')
})

test('a program that is broken on the disk is not started at all', async (t) => {
  const { fd } = await listen(t)
  const message = await failureOf(start('well', [fd], { probe: [...script('successor'), '--broken'] }))
  assert.equal(message, 'not started anew, as the program on the disk or its config is broken:\n  SyntaxError: of the new program')
})

test('an attempt that nobody wants any more ends with all that was started', async (t) => {
  const { port, fd } = await listen(t)
  const stop = new AbortController()
  const attempt = failureOf(start('hangs', [fd], { timeoutMs: 60_000, signal: stop.signal }))
  stop.abort()
  assert.match(await inTime(attempt, { within: 20_000 }), /^the new weir did not get ready: this weir is stopping/)
  assert.equal(await ask(port), 'old')
})
