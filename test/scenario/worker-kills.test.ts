// Workers are killed one after the other. WORKER_KILLS=30 makes a minute of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { startFaultyServer } from './lib/faulty-server.ts'
import { waitForEnd } from './lib/processes.ts'
import { startLoad } from './lib/steady-load.ts'
import { until } from './lib/wait.ts'

const KILLS = Number(process.env['WORKER_KILLS'] ?? 4)
const EVERY_MS = 2_000
const RATE = 2_000

test(`a worker is killed every two seconds, ${KILLS} times: only requests inside it fail, and nobody is refused`, async (t) => {
  const servers = await Promise.all([0, 1, 2].map(() => startFaultyServer(t, {})))
  const settings = config({ servers: servers.map(({ address }) => address), upstream: { slowStart: 'off' } })
  const weir = await startBalancer(t, settings, { workers: 2, usesDefaults: true, losesProcesses: true })
  const load = startLoad(t, { port: weir.port(), rate: RATE, connections: 1_000 })
  await until(() => load.answered > RATE / 2, { within: 10_000, what: 'the load runs' })
  const count = (what: RegExp) => weir.log().match(what)?.length ?? 0
  let inside = 0
  for (let i = 0; i < KILLS; i++) {
    // The successors of all before it serve.
    await until(() => count(/starting -> ready/g) === i, { within: 20_000, what: `worker ${i} is replaced` })
    const victim = weir.workerPids()[i % 2] as number
    // What ends with it is seen before anything else is sent.
    load.undisturbed(() => {
      inside += load.waiting
      process.kill(victim, 'SIGKILL')
      waitForEnd(victim)
    })
    const due = performance.now() + EVERY_MS
    await until(() => performance.now() >= due, { within: 2 * EVERY_MS })
  }
  await load.stop()
  t.diagnostic(
    `${load.sent} requests, ${load.failures.length} failed, ${inside} were in flight in both workers when one of them was killed`,
  )
  assert.deepEqual(
    [...new Set(load.failures.map(({ what }) => what))].filter((what) => what !== 'broken'),
    [],
    weir.log(),
  )
  assert.ok(load.failures.length <= inside, `${load.failures.length} failed, ${inside} were in flight`)
  // Each is told, with how it ended.
  assert.equal(count(/worker \d: ready -> gone \(SIGKILL\)/g), KILLS, weir.log())
})
