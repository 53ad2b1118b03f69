// Where a TCP connection goes: by client address, by port, by share; how many are taken; and what becomes of the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { type Client, connect, type Target } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { echoes, namedServer, whoAnswers } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { settled } from './lib/flow.ts'
import { freePortRange } from './lib/listening.ts'
import { clientConnections } from './lib/processes.ts'
import { type Scope, until } from './lib/wait.ts'

const OTHER = '127.0.0.2'
const a = await namedServer(file, 'a')
const b = await namedServer(file, 'b')
const held = await namedServer(file, 'held')
const upstreams = { a: { servers: [a.address] }, b: { servers: [b.address] }, held: { servers: [held.address] } }
const ANY = { match: {}, upstream: 'a' }

function listener(settings: Record<string, unknown>): Record<string, unknown> {
  return { protocol: 'tcp', bind: '127.0.0.1:0', ...settings }
}

const listeners = {
  byAddress: listener({ routes: [ANY, { match: { clientIp: [OTHER, '10.0.0.0/8'] }, upstream: 'b' }] }),
  onlyOther: listener({ routes: [{ match: { clientIp: `${OTHER}/32` }, upstream: 'b' }] }),
  notOther: listener({
    routes: [
      { match: { not: { clientIp: OTHER } }, upstream: 'a' },
      { match: {}, upstream: 'b' },
    ],
  }),
  split: listener({ routes: [{ match: {}, split: { a: '80%', b: '20%' } }] }),
  perAddress: listener({ upstream: 'a', limits: { connectionsPerIp: 5 } }),
  few: listener({ upstream: 'held', limits: { connections: 3 } }),
}
const weir = await startBalancer(file, tcpConfig({ servers: [], top: { listeners, upstreams } }), { workers: 2 })

const from = (name: keyof typeof listeners, localAddress = '127.0.0.1'): Target => ({
  host: '127.0.0.1',
  port: weir.port(name),
  localAddress,
})

async function nameFor(scope: Scope, target: Target): Promise<string> {
  return (await whoAnswers(scope, target)).name
}

/** Connects and waits for the reset of a connection that is not wanted. */
async function expectRefusal(scope: Scope, target: Target): Promise<void> {
  const client = await connect(scope, target).catch((error: NodeJS.ErrnoException) => error)
  // A reset may come before the client knows that it is connected.
  if (client instanceof Error) assert.equal(client.code, 'ECONNRESET')
  else await client.expectClosed(1_000)
}

test('the address of the client chooses the route', async (t) => {
  assert.equal(await nameFor(t, from('byAddress')), 'a')
  assert.equal(await nameFor(t, from('byAddress', OTHER)), 'b')
  assert.equal(await nameFor(t, from('notOther')), 'a')
  assert.equal(await nameFor(t, from('notOther', OTHER)), 'b')
})

test('a connection that no route matches is closed at once, and the log says so', async (t) => {
  assert.equal(await nameFor(t, from('onlyOther', OTHER)), 'b')
  await expectRefusal(t, from('onlyOther'))
  await until(() => /listener onlyOther: closed a connection from 127\.0\.0\.1: no route matches\n/.test(weir.log()))
})

test('a split sends each upstream its share', async (t) => {
  let toB = 0
  for (let i = 0; i < 15; i++) {
    const names = await Promise.all(Array.from({ length: 20 }, () => nameFor(t, from('split'))))
    toB += names.filter((name) => name === 'b').length
  }
  // 300 connections: 60 are expected, the bounds are more than five standard deviations away.
  assert.ok(toB > 24 && toB < 96, `${toB} of 300 went to b`)
})

test('every port of a range is listened on, and the port chooses the route', async (t) => {
  const { weir: own, first } = await startOnRange(t)
  assert.match(own.log(), new RegExp(`tcp://127\\.0\\.0\\.1:${first}-${first + 4} \\(range\\)`))
  const names = await Promise.all([0, 1, 2, 3, 4].map((i) => nameFor(t, first + i)))
  assert.deepEqual(names, ['a', 'b', 'b', 'a', 'b'])
})

async function startOnRange(scope: Scope): Promise<{ weir: Balancer; first: number }> {
  for (let attempt = 0; ; attempt++) {
    const first = await freePortRange(5)
    const routes = [{ match: { port: [`${first + 1}-${first + 2}`, first + 4] }, upstream: 'b' }, ANY]
    const range = listener({ bind: `127.0.0.1:${first}-${first + 4}`, routes })
    try {
      return { weir: await startBalancer(scope, tcpConfig({ servers: [], top: { listeners: { range }, upstreams } })), first }
    } catch (error) {
      // Somebody else took one of the ports meanwhile.
      if (attempt === 3 || !String(error).includes('in use')) throw error
    }
  }
}

test('one address has at most connectionsPerIp connections over all workers, others are not affected', async (t) => {
  const mine = await fill(t, 5)
  const port = weir.port('perAddress')
  const perWorker = weir.workerPids().map((pid) => clientConnections(pid, port))
  assert.ok(
    perWorker.every((count) => count > 0),
    `both workers hold some: ${perWorker}`,
  )
  for (let i = 0; i < 10; i++) await expectRefusal(t, from('perAddress'))
  await until(() => /listener perAddress: closed a connection from 127\.0\.0\.1: its address has as many/.test(weir.log()))
  for (let i = 0; i < 5; i++) assert.equal(await nameFor(t, from('perAddress', OTHER)), 'a')
  await expectRefusal(t, from('perAddress', OTHER))
  for (const client of mine) await echoes(client, 'undisturbed')
})

test('a connection that has ended makes room for another one of its address', async (t) => {
  let open = await fill(t, 5)
  for (let round = 0; round < 20; round++) {
    const [gone, ...rest] = open as [Client, ...Client[]]
    if (round % 2 === 0) gone.reset()
    else gone.end()
    open = [...rest, ...(await fill(t, 1))]
  }
  await expectRefusal(t, from('perAddress'))
})

/** Opens connections of one address; each may have to wait until those that were closed before have ended. */
async function fill(scope: Scope, count: number): Promise<Client[]> {
  const open: Client[] = []
  const attempt = () => whoAnswers(scope, from('perAddress'), 500).catch(() => undefined)
  for (let i = 0; i < count; i++) open.push((await until(attempt, { what: 'a free place' })).client)
  return open
}

test('beyond limits.connections a client waits in the queue until another one has gone', async (t) => {
  const open = await Promise.all([0, 1, 2].map(() => whoAnswers(t, from('few'))))
  const late = await connect(t, from('few'))
  late.send('I can wait')
  assert.equal(await settled(() => held.connections), 3, 'the server does not see it yet')
  assert.equal(late.reader.ended, false)
  open[0]?.client.end()
  assert.equal(await late.reader.takeUntil('wait'), 'held\nI can wait')
})
