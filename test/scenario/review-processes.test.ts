// Stops and signals at moments when a worker is not there yet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { isRunning } from './lib/processes.ts'
import { startServer } from './lib/server.ts'
import { inTime, until } from './lib/wait.ts'

test('a stop while a worker is being replaced does not wait for a deadline', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startBalancer(t, config({ servers: [server.address] }), { losesProcesses: true })
  const [worker] = weir.workerPids() as [number]
  process.kill(worker, 'SIGKILL')
  await until(() => weir.workerPids().some((pid) => pid !== worker), { what: 'a new worker process' })
  // Without a deadline: what is told to a worker that does not listen yet must not be lost.
  weir.signal('SIGQUIT')
  await inTime(weir.exited, { within: 4_000, what: 'the end of the balancer' })
})

for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} does not end the balancer and opens no debugger`, async (t) => {
    const server = await startServer(t, (_req, res) => void res.end('fine'))
    const weir = await startBalancer(t, config({ servers: [server.address] }), { losesProcesses: true })
    const [worker] = weir.workerPids() as [number]
    weir.signal(signal)
    process.kill(worker, signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(isRunning(weir.pid) && isRunning(worker), weir.log())
    assert.doesNotMatch(weir.log(), /Debugger listening/)
  })
}
