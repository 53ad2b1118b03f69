// Processes end while 2,000 GETs a second go on: a server, all servers, a worker of the balancer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boardOf } from './lib/board.ts'
import { assertNoFailures, setStage } from './lib/fault-stage.ts'
import { waitForEnd } from './lib/processes.ts'
import { until } from './lib/wait.ts'

test('no client notices that a server is killed and started again', async (t) => {
  const stage = await setStage(t)
  await stage.faulty.prepare()
  await stage.fault(() => stage.faulty.kill())
  await stage.detected('attempts-and-refusals')
  await stage.repair(() => stage.faulty.revive())
  await stage.recovered()
  await stage.finish()
  assertNoFailures(stage)
})

test('no client notices that a server closes its listener and opens it again', async (t) => {
  const stage = await setStage(t)
  await stage.fault(() => stage.faulty.closeListener())
  await stage.detected('attempts-and-refusals')
  await stage.repair(() => stage.faulty.openListener())
  await stage.recovered()
  await stage.finish()
  assertNoFailures(stage)
})

test('requests are held while all servers are gone, and answered when they are back', async (t) => {
  // 1,000 is the default: half a second of this load.
  const stage = await setStage(t, { upstream: { hold: { max: 6_000 } } })
  const { servers, load } = stage
  await Promise.all(servers.map((server) => server.prepare()))
  await stage.fault(async () => void (await Promise.all(servers.map((server) => server.kill()))))
  await until(() => load.waiting > load.rate, { what: 'a second of requests is held' })
  const held = load.waiting
  await stage.repair(async () => void (await Promise.all(servers.map((server) => server.revive()))))
  const { sent } = load
  await until(() => load.answered + load.failures.length >= sent, { what: 'those that were held are answered' })
  t.diagnostic(`${held} requests were held, all answered ${stage.sinceRepair().toFixed(0)} ms after the servers were back`)
  await stage.recovered('all')
  await stage.finish()
  assertNoFailures(stage)
})

test('only requests inside a worker that is killed are lost', async (t) => {
  const stage = await setStage(t, { balancer: { losesProcesses: true } })
  const { weir, load } = stage
  // The board is read through the first worker, so the other one has to go.
  const victim = weir.workerPids()[1] as number
  const board = boardOf(weir)
  const alive = () => board.worker('alive')
  await until(() => load.waiting > 0, { what: 'something is in flight' })
  let inside = 0
  await stage.fault(() =>
    load.undisturbed(() => {
      inside = load.waiting
      process.kill(victim, 'SIGKILL')
      waitForEnd(victim)
    }),
  )
  const killedAt = performance.now()
  await until(() => alive() === 1, { what: 'the worker is missed' })
  await until(() => alive() === 2, { what: 'a new worker' })
  t.diagnostic(`recovery ${(performance.now() - killedAt).toFixed(0)} ms: a new worker serves`)
  const atReplacement = load.answered
  await until(() => load.answered > atReplacement + 1.5 * load.rate, { what: 'the load goes on' })
  await stage.finish()
  t.diagnostic(`${inside} requests were in flight in both workers, ${load.failures.length} were lost`)
  assert.ok(load.failures.length <= inside, `${load.failures.length} lost, ${inside} in flight: ${JSON.stringify(load.failures)}`)
  assert.deepEqual(
    load.failures.filter(({ what, sentAt }) => what !== 'broken' || sentAt > killedAt),
    [],
  )
})
