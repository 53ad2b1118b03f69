// Servers and workers that are killed, and the end of the balancer itself: what becomes of open tunnels and of new connections.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { type Client, connect } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { echoes, namedServer, whoAnswers } from './lib/driven-server.ts'
import { clientConnections } from './lib/processes.ts'
import { startServerProcess } from './lib/server-process.ts'
import { inTime, type Scope, timed, until } from './lib/wait.ts'

interface Open {
  client: Client
  name: string
}

function openMany(scope: Scope, weir: Balancer, count: number): Promise<Open[]> {
  return Promise.all(Array.from({ length: count }, () => whoAnswers(scope, weir.port())))
}

const LANES = 10

/** Names of the servers of `count` new connections, ten of which are open at a time. Rejects with the first that fails. */
async function namesOf(scope: Scope, weir: Balancer, count: number): Promise<Set<string>> {
  const names = new Set<string>()
  const lane = async () => {
    for (let i = 0; i < count / LANES; i++) {
      const { client, name } = await whoAnswers(scope, weir.port())
      names.add(name)
      client.socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return names
}

test('when a server is killed its tunnels end, 200 new connections go elsewhere, and none is refused', async (t) => {
  const [a, b] = await Promise.all([startServerProcess(t, 'tcp'), startServerProcess(t, 'tcp')])
  const weir = await startBalancer(t, tcpConfig({ servers: [a.address, b.address] }), { workers: 2 })
  const open = await openMany(t, weir, 20)
  const onA = open.filter(({ name }) => name === String(a.pid))
  const onB = open.filter(({ name }) => name === String(b.pid))
  assert.ok(onA.length > 5 && onB.length > 5)
  await a.kill()
  const ends = onA.map(({ client }) => client.reader.takeRest(2_000))
  assert.deepEqual(await namesOf(t, weir, 200), new Set([String(b.pid)]))
  await Promise.all(ends)
  await Promise.all(onB.map(({ client }) => echoes(client, 'undisturbed')))
  await a.restart()
  await until(async () => (await namesOf(t, weir, LANES)).has(String(a.pid)), { what: 'the server is used again' })
})

test('when a worker is killed its tunnels end, the other ones go on, and new connections are served at once', async (t) => {
  const server = await namedServer(t, 'a')
  const weir = await startBalancer(t, tcpConfig({ servers: [server.address] }), { workers: 2, losesProcesses: true })
  const open = await openMany(t, weir, 20)
  const [first] = weir.workerPids() as [number, number]
  const lost = clientConnections(first, weir.port())
  assert.ok(lost > 5 && lost < 15, `${lost} of 20`)
  process.kill(first, 'SIGKILL')
  assert.deepEqual(await namesOf(t, weir, 200), new Set(['a']))
  const left = () => open.filter(({ client }) => !client.reader.ended)
  await until(() => left().length === open.length - lost, { what: `${lost} tunnels have ended` })
  await Promise.all(left().map(({ client }) => echoes(client, 'undisturbed')))
})

test('the tunnels of a killed worker are no load any more', async (t) => {
  const server = await namedServer(t, 'a')
  const servers = [{ address: server.address, maxConnections: 20 }]
  const weir = await startBalancer(t, tcpConfig({ servers }), { workers: 2, losesProcesses: true })
  const open = await openMany(t, weir, 20)
  assert.equal(boardOf(weir).inFlight(0), 20)
  const [first] = weir.workerPids() as [number, number]
  const lost = clientConnections(first, weir.port())
  process.kill(first, 'SIGKILL')
  await until(() => open.filter(({ client }) => client.reader.ended).length === lost, { what: `${lost} tunnels have ended` })
  for (let i = 0; i < lost; i++) await until(() => whoAnswers(t, weir.port(), 500).catch(() => undefined), { what: 'a free place' })
  await until(() => weir.workerPids().length === 2, { within: 10_000 })
  assert.equal(boardOf(weir).inFlight(0), 20)
})

function refuses(scope: Scope, weir: Balancer): Promise<boolean> {
  return connect(scope, weir.port()).then(
    // Accepted in the last moment: it must not be a tunnel to wait for.
    ({ socket }) => {
      socket.destroy()
      return false
    },
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  )
}

async function stopping(scope: Scope, grace: string): Promise<{ weir: Balancer; open: Open[] }> {
  const server = await namedServer(scope, 'a')
  const weir = await startBalancer(scope, tcpConfig({ servers: [server.address], top: { shutdown: { grace } } }), { workers: 2 })
  const open = await openMany(scope, weir, 10)
  weir.signal('SIGTERM')
  await until(() => refuses(scope, weir), { what: 'new connections are refused' })
  return { weir, open }
}

test('after TERM tunnels go on until the grace is over, then they are cut and the exit code is 0', async (t) => {
  const { weir, open } = await stopping(t, '1500ms')
  const cut = Promise.all(open.map(({ client }) => client.reader.takeRest(5_000)))
  const { ms } = await timed(cut.then(() => weir.exited))
  assert.ok(ms > 1_000 && ms < 3_000, `after ${ms} ms`)
  assert.deepEqual(await weir.exited, { code: 0, signal: null })
})

test('after TERM tunnels carry bytes, and new connections are refused all the while', async (t) => {
  const { weir, open } = await stopping(t, '10s')
  for (let i = 0; i < 10; i++) {
    await Promise.all(open.map(({ client }) => echoes(client, `round ${i}`)))
    assert.equal(await refuses(t, weir), true)
  }
  for (const { client } of open) client.end()
  await Promise.all(open.map(({ client }) => client.expectClosed()))
  const { value, ms } = await timed(inTime(weir.exited, { what: 'the end, once no tunnel is left' }))
  assert.deepEqual(value, { code: 0, signal: null })
  assert.ok(ms < 2_000, `after ${ms} ms`)
})
