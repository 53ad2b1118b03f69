import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusData } from '../../src/shared/control/data.ts'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { control, controlPath } from './lib/control.ts'
import { throwHostileClients } from './lib/hostile-program.ts'
import { members } from './lib/member.ts'
import { startLoad } from './lib/steady-load.ts'
import { timed, until } from './lib/wait.ts'

/** A machine that is busy with other things makes requests wait, but not as long as a process that does not turn. */
const STALL_MS = 2_000

test('hostile clients get an error or a close, and traffic does not notice them', async (t) => {
  const fleet = await members(t, 'ab')
  for (const one of fleet) one.handle = (_request, res, seen) => void res.end(seen.url)
  const path = controlPath(t)
  const servers = fleet.map(({ name, address }) => ({ name, address }))
  const settings = config({ servers, top: { workers: 2, control: { socket: path } } })
  const balancer = await startBalancer(t, settings, { usesDefaults: true })
  const load = startLoad(t, { port: balancer.port(), rate: 200, connections: 128 })
  await until(() => load.answered > 100)
  const from = performance.now()
  await throwHostileClients(t, path)
  const { value, ms } = await timed(control<StatusData>(t, path, { verb: 'status' }))
  assert.equal(value.data.upstreams[0]?.usable, 2)
  assert.ok(ms < STALL_MS, `the operator waited ${Math.round(ms)} ms`)
  await load.stop()
  assert.deepEqual(load.failures, [])
  assert.equal(load.slowerThan(STALL_MS, from), 0)
  assert.deepEqual([value.data.pid, (await control<StatusData>(t, path, { verb: 'status' })).data.pid], [balancer.pid, balancer.pid])
  assert.ok(!balancer.log().includes('control: drain'), 'half a request was not obeyed')
})
