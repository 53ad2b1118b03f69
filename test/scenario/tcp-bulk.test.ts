/** Large amounts through one tunnel, both ways at once. `make soak-tcp` does the same with 10 GiB. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { duplex } from './lib/duplex.ts'
import { residentBytes } from './lib/processes.ts'
import { noStrace, trace } from './lib/strace.ts'
import type { Scope } from './lib/wait.ts'

const MIB = 1024 * 1024
const BYTES = Number(process.env['WEIR_BULK_BYTES'] ?? 512 * MIB)
const WITHIN_MS = 60_000 + (BYTES / MIB) * 60

async function tunnelTo(scope: Scope, ...servers: number[]) {
  return startBalancer(scope, {
    workers: 1,
    listeners: Object.fromEntries(servers.map((_, i) => [`l${i}`, { bind: '127.0.0.1:0', protocol: 'tcp', upstream: `u${i}` }])),
    upstreams: Object.fromEntries(servers.map((port, i) => [`u${i}`, { servers: [`127.0.0.1:${port}`] }])),
    shutdown: { grace: '1s' },
  })
}

test(`${BYTES / MIB} MiB each way at once arrive whole, and the worker does not grow`, async (t) => {
  const [warmUp, real] = [await duplex(t, 64 * MIB), await duplex(t, BYTES)]
  const balancer = await tunnelTo(t, warmUp.port, real.port)
  const [worker] = balancer.workerPids() as [number]
  await warmUp.run(balancer.port('l0'), 60_000)
  const before = residentBytes(worker)
  let most = before
  const look = setInterval(() => {
    most = Math.max(most, residentBytes(worker))
  }, 100)
  const result = await real.run(balancer.port('l1'), WITHIN_MS).finally(() => clearInterval(look))
  for (const direction of [result.up, result.down]) {
    assert.equal(direction.received, direction.sent)
    assert.ok(direction.equal, 'the hashes differ')
    assert.ok(direction.sent >= BYTES)
  }
  const grown = (most - before) / MIB
  t.diagnostic(`${((2 * BYTES) / MIB / result.seconds).toFixed(0)} MiB/s, worker grew by ${grown.toFixed(1)} MiB`)
  assert.ok(grown < 5, `the worker grew by ${grown.toFixed(1)} MiB`)
})

test('bulk is spliced: at least 95 % of the bytes never enter user memory', { skip: noStrace() }, async (t) => {
  const load = await duplex(t, 128 * MIB)
  const balancer = await tunnelTo(t, load.port)
  const stop = await trace(t, balancer.workerPids()[0] as number)
  const result = await load.run(balancer.port('l0'), 120_000)
  const moved = await stop()
  const share = moved.spliced / (result.up.received + result.down.received)
  t.diagnostic(`spliced ${(share * 100).toFixed(2)} %, copied ${moved.received} bytes`)
  assert.ok(share >= 0.95, `only ${(share * 100).toFixed(1)} % was spliced`)
})
