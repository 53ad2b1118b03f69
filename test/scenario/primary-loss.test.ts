// Workers never outlive the primary: they finish what they have and exit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { isRunning } from './lib/processes.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { deferred, until } from './lib/wait.ts'

test('a killed primary takes its workers with it, after they have finished their requests', async (t) => {
  const go = deferred()
  const server = await scriptedServer(t)
  server.on('/slow', async (socket) => {
    await go.promise
    socket.write(response('finished'))
  })
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2, losesProcesses: true })
  const workers = weir.workerPids()
  t.after(() => workers.filter(isRunning).forEach((pid) => void process.kill(pid, 'SIGKILL')))
  const client = await connect(t, weir.port())
  client.request('GET /slow')
  await until(() => server.headsOf('/slow').length === 1)
  weir.signal('SIGKILL')
  assert.equal((await weir.exited).signal, 'SIGKILL')
  go.resolve()
  assert.equal((await client.readResponse()).text, 'finished')
  await until(() => !workers.some(isRunning), { within: 8_000, what: 'the workers have ended' })
})

test('workers with a request that does not end exit after the grace', async (t) => {
  const server = await scriptedServer(t)
  server.on('/never', async (socket) => socket.closed(60_000))
  const settings = config({ servers: [server.address], top: { shutdown: { grace: '500ms' } } })
  const weir = await startBalancer(t, settings, { workers: 1, losesProcesses: true })
  const workers = weir.workerPids()
  t.after(() => workers.filter(isRunning).forEach((pid) => void process.kill(pid, 'SIGKILL')))
  const client = await connect(t, weir.port())
  client.request('GET /never')
  await until(() => server.heads.length === 1)
  weir.signal('SIGKILL')
  await until(() => !workers.some(isRunning), { within: 6_000, what: 'the workers have ended' })
})
