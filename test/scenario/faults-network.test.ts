// The network between the balancer and a server fails while 2,000 GETs a second go on.
import { test } from 'node:test'
import { assertNoFailures, setStage } from './lib/fault-stage.ts'
import { needsNamespace } from './lib/network-namespace.ts'

test('no client notices that a server resets every connection once it is accepted', async (t) => {
  const stage = await setStage(t)
  await stage.fault(() => stage.faulty.reset('accept'))
  await stage.detected('attempts-and-refusals')
  await stage.repair(() => stage.faulty.behave())
  await stage.recovered()
  await stage.finish()
  assertNoFailures(stage)
})

test('no client notices that a server resets every connection once it has read a request', async (t) => {
  const stage = await setStage(t)
  await stage.fault(() => stage.faulty.reset('request'))
  await stage.detected('attempts-and-refusals')
  await stage.repair(() => stage.faulty.behave())
  await stage.recovered()
  await stage.finish()
  assertNoFailures(stage)
})

test('no client notices that the packets to a server vanish', async (t) => {
  const namespace = needsNamespace(t)
  if (namespace === undefined) return
  const stage = await setStage(t, { faulty: namespace, upstream: { timeouts: { firstByte: '1s' } } })
  await stage.fault(() => namespace.dropPackets())
  await stage.detected('attempts')
  await stage.repair(() => namespace.letPacketsPass())
  await stage.recovered()
  await stage.finish()
  assertNoFailures(stage)
})
