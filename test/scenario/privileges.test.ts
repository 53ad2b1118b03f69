// Started as root with a user in its config, weir is that user before a client can reach it.
import assert from 'node:assert/strict'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runToEnd, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { command, data } from './lib/command.ts'
import { config } from './lib/config.ts'
import { isRunning } from './lib/processes.ts'
import { echo, startServer } from './lib/server.ts'
import { folderFor } from './lib/tools.ts'
import { inTime, until } from './lib/wait.ts'

const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'needs root'
const nobody = accountOf('nobody')

function accountOf(name: string): { uid: number; gid: number } | undefined {
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name)
  return row && { uid: Number(row[2]), gid: Number(row[3]) }
}

/** All four of each kind: real, effective, saved, of the file system. */
function idsOf(pid: number): { uid: string; gid: string; groups: string; capabilities: string } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string) => (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').trim().replaceAll(/\s+/g, ' ')
  return { uid: field('Uid'), gid: field('Gid'), groups: field('Groups'), capabilities: field('CapPrm') }
}

async function begin(t: TestContext) {
  assert.ok(nobody)
  const server = await startServer(t, echo('a'))
  const folder = folderFor(t, 'nobody', nobody)
  const top = { user: 'nobody', pidFile: join(folder, 'weir.pid'), control: { socket: join(folder, 'weir.sock') } }
  const weir = await startBalancer(t, config({ servers: [server.address], top }), { losesProcesses: true })
  return { weir, server, socket: top.control.socket, ids: expected(nobody) }
}

function expected({ uid, gid }: { uid: number; gid: number }) {
  const four = (id: number) => [id, id, id, id].join(' ')
  return { uid: four(uid), gid: four(gid), groups: String(gid), capabilities: '0000000000000000' }
}

test('primary and workers are the user of the config, without a way back to root', { skip }, async (t) => {
  const { weir, ids } = await begin(t)
  assert.deepEqual(idsOf(weir.pid), ids)
  assert.ok(weir.workerPids().length > 0)
  for (const pid of weir.workerPids()) assert.deepEqual(idsOf(pid), ids)
  assert.equal((await ask(t, weir.port(), 'GET /')).status, 200)
  assert.deepEqual(await weir.stop(), { code: 0, signal: null })
})

test('a worker that is replaced is that user, too', { skip }, async (t) => {
  const { weir, ids } = await begin(t)
  const [first = 0] = weir.workerPids()
  process.kill(first, 'SIGKILL')
  const next = await until(() => weir.workerPids().find((pid) => pid !== first))
  assert.deepEqual(idsOf(next), ids)
})

test('the successor of an upgrade is that user, and answers at the same control socket', { skip }, async (t) => {
  const { weir, ids, socket } = await begin(t)
  // The successor reads the config as that user.
  chmodSync(weir.folder, 0o755)
  const { pid } = await data<{ pid: number }>(weir, 'upgrade', '--socket', socket)
  t.after(() => end(pid))
  assert.deepEqual(idsOf(pid), ids)
  await inTime(weir.exited, { within: 20_000, what: 'the end of the old one' })
  assert.equal((await data<{ pid: number }>(weir, 'status', '--socket', socket)).pid, pid)
  assert.equal((await ask(t, weir.port(), 'GET /')).status, 200)
  assert.equal((await command(weir, 'stop', '--socket', socket)).code, 0)
})

async function end(pid: number): Promise<void> {
  if (isRunning(pid)) process.kill(pid, 'SIGTERM')
  await until(() => !isRunning(pid), { within: 8_000 })
}

test('a user that does not exist is refused, and nothing is left open', async (t) => {
  const { code, stderr } = await runToEnd(t, config({ servers: ['127.0.0.1:1'], top: { user: 'no-such-user' } }))
  assert.equal(code, 1)
  assert.match(stderr, /there is no user no-such-user on this machine/)
})
