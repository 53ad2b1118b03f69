// Many reloads in a row while 2,000 requests a second and WebSockets go on.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectControl } from '../../src/cli/control-client.ts'
import { rewriteConfig, startBalancer } from './lib/balancer.ts'
import { changingConfig } from './lib/changing-config.ts'
import { startFleet } from './lib/deploy-fleet.ts'
import { startMixedLoad } from './lib/mixed-load.ts'
import { until } from './lib/wait.ts'
import { openWebSockets } from './lib/web-sockets.ts'

const RATE = 2_000
const RELOADS = 100

test(`${RELOADS} reloads in a row, each changing something: no request fails, no WebSocket is cut`, async (t) => {
  const fleet = await startFleet(t, 'abc')
  const weir = await startBalancer(t, changingConfig(0, fleet.servers), { usesDefaults: true })
  const workers = weir.workerPids()
  const sockets = await openWebSockets(t, weir, 50)
  const load = startMixedLoad(t, { port: weir.port(), rate: RATE, clients: 200 })
  await until(() => load.answered > RATE / 2, { within: 10_000, what: 'the load runs' })
  const control = await connectControl(join(weir.folder, 'weir.sock'))
  t.after(() => control.close())
  const took: number[] = []
  for (let step = 1; step <= RELOADS; step++) {
    rewriteConfig(weir, changingConfig(step, fleet.servers))
    const { data } = await control.ask('reload', {})
    assert.ok(data.changed && data.steps.length > 0, `reload ${step}`)
    took.push(data.tookMs)
  }
  await load.stop()
  took.sort((one, other) => one - other)
  t.diagnostic(`${load.sent} requests, ${load.failures.length} failed, ${load.lost} connections lost`)
  t.diagnostic(`a reload took ${took[RELOADS / 2]} ms (median), ${took.at(-1)} ms at most`)
  assert.deepEqual(load.failures.slice(0, 10), [], `${load.failures.length} of ${load.sent} failed\n${weir.log().slice(-4_000)}`)
  assert.equal(load.lost, 0, 'connections of a listener that did not change')
  assert.equal(sockets.filter(({ isOpen }) => isOpen()).length, sockets.length)
  await Promise.all(sockets.map(({ echoes }) => echoes('still here')))
  assert.deepEqual(weir.workerPids(), workers)
})
