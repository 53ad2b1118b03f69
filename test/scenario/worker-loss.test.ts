// A worker that is killed is replaced, and nobody who connects is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

test('a killed worker is replaced', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2, losesProcesses: true })
  const [first, second] = weir.workerPids() as [number, number]
  process.kill(first, 'SIGKILL')
  const now = await until(
    () => {
      const pids = weir.workerPids()
      return pids.length === 2 && !pids.includes(first) && pids
    },
    { within: 10_000, what: 'a new worker' },
  )
  assert.ok((now as number[]).includes(second), 'the other worker was left alone')
})

test('connections that are opened while a worker is killed are all accepted', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2, losesProcesses: true })
  const old = weir.workerPids()
  for (const pid of old) {
    // Nothing is in flight at this moment, so nothing may break.
    process.kill(pid, 'SIGKILL')
    for (let i = 0; i < 100; i++) assert.equal((await ask(t, weir.port())).text, 'fine')
    await until(() => weir.workerPids().length === 2 && !weir.workerPids().includes(pid), { within: 10_000 })
  }
})

test('under load only what the killed worker had in flight may break', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2, losesProcesses: true })
  const LANES = 8
  const errors: NodeJS.ErrnoException[] = []
  let stop = false
  let answered = 0
  const lane = async () => {
    while (!stop) {
      await ask(t, weir.port()).then(
        () => answered++,
        (error: NodeJS.ErrnoException) => errors.push(error),
      )
    }
  }
  const lanes = Array.from({ length: LANES }, lane)
  await until(() => answered > 200)
  process.kill(weir.workerPids()[0] as number, 'SIGKILL')
  const atKill = answered
  await until(() => answered > atKill + 500, { within: 15_000 })
  stop = true
  await Promise.all(lanes)
  assert.ok(errors.length <= LANES, `${errors.length} requests broke: ${errors[0]}`)
  assert.deepEqual(
    errors.filter(({ code }) => code === 'ECONNREFUSED'),
    [],
  )
})
