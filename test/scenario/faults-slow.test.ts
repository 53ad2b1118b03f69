// A server hangs or dawdles while 2,000 GETs a second go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoFailures, setStage } from './lib/fault-stage.ts'
import { until } from './lib/wait.ts'

const FIRST_BYTE_MS = 1_000

test('a server hangs: at most those that wait for it see an error, and later it gets its share again', async (t) => {
  const stage = await setStage(t, { upstream: { timeouts: { firstByte: `${FIRST_BYTE_MS}ms` } } })
  const { load, meter } = stage
  await stage.fault(() => stage.faulty.freeze())
  await stage.detected('attempts')
  await stage.repair(() => stage.faulty.thaw())
  await stage.recovered()
  await stage.finish()
  const waited = load.slowerThan(FIRST_BYTE_MS) + load.failures.length
  t.diagnostic(
    `${waited} requests waited for the hung server, at most ${meter.mostInFlight[0]} at once; ${load.failures.length} of them failed`,
  )
  assert.deepEqual(
    load.failures.filter(({ what, tookMs }) => what !== '504' || tookMs < FIRST_BYTE_MS),
    [],
  )
  assert.ok(waited < load.sent * 0.05, `${waited} of ${load.sent} requests waited for the hung server`)
})

test('a server becomes slow by two seconds: nobody gets an error, and hardly anybody waits', async (t) => {
  const stage = await setStage(t)
  const { load, meter } = stage
  await stage.fault(() => stage.faulty.slowDown(2_000))
  const slowAt = performance.now()
  const sent = load.sent
  await until(() => load.sent > sent + 4 * load.rate, { what: 'four seconds of load' })
  const share = meter.attemptsSince(0, slowAt) / (load.sent - sent)
  await stage.repair(() => stage.faulty.behave())
  await stage.recovered()
  await stage.finish()
  const waited = load.slowerThan(2_000, slowAt)
  t.diagnostic(
    `${(share * 100).toFixed(2)} % of the requests went to the slow server; ${waited} waited, ${meter.mostInFlight[0]} at once at most`,
  )
  assertNoFailures(stage)
  assert.ok(share < 0.05, `${share} of the requests went to the slow server`)
})
