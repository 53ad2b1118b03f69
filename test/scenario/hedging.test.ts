// Hedged requests: a second server is asked when the first is late, and the first answer counts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { startServer } from './lib/server.ts'
import { type Scope, timed, until } from './lib/wait.ts'

/** Two servers, asked in the order of the config; the first takes as long as the path says. */
async function pair(scope: Scope, upstream: Record<string, unknown> = {}) {
  const seen = { slow: 0, fast: 0, cancelled: 0 }
  const slow = await startServer(scope, async (req, res) => {
    seen.slow++
    res.on('close', () => {
      if (!res.writableFinished) seen.cancelled++
    })
    await delay(Number(req.url?.slice(1)))
    res.end('slow')
  })
  const fast = await startServer(scope, async (req, res) => {
    seen.fast++
    if (req.headers['x-fast'] !== undefined) await delay(Number(req.headers['x-fast']))
    res.end('fast')
  })
  const servers = [slow.address, fast.address]
  const weir = await startBalancer(scope, config({ servers, upstream: { balance: 'first', hedge: { after: '60ms' }, ...upstream } }))
  return { weir, seen }
}

test('a server that is late is overtaken by another one, and its work is cancelled', async (t) => {
  const { weir, seen } = await pair(t)
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /3000'))
  assert.equal(value.text, 'fast')
  assert.ok(ms >= 50 && ms < 1500, `${ms} ms`)
  await until(() => seen.cancelled === 1, { what: 'the slow server sees its connection closed' })
  assert.deepEqual([seen.slow, seen.fast], [1, 1])
})

test('a server that answers in time is alone', async (t) => {
  const { weir, seen } = await pair(t)
  for (let i = 0; i < 5; i++) assert.equal((await ask(t, weir.port(), 'GET /0')).text, 'slow')
  assert.deepEqual([seen.slow, seen.fast], [5, 0])
})

test('the first one may still win', async (t) => {
  const { weir, seen } = await pair(t)
  const answer = await ask(t, weir.port(), 'GET /200', { 'X-Fast': '3000' })
  assert.equal(answer.text, 'slow')
  assert.deepEqual([seen.slow, seen.fast], [1, 1])
  assert.equal((await ask(t, weir.port(), 'GET /0')).text, 'slow')
})

test('what must not be repeated is not hedged', async (t) => {
  const { weir, seen } = await pair(t)
  assert.equal((await ask(t, weir.port(), 'POST /300', {}, 'data')).text, 'slow')
  assert.deepEqual([seen.slow, seen.fast], [1, 0])
})

test('hedges obey the budget of retries', async (t) => {
  const { weir, seen } = await pair(t, { retry: { budget: '1%' } })
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(t, weir.port(), 'GET /700', { 'X-Fast': '300' })))
  assert.equal(answers.filter((answer) => answer.status === 200).length, 12)
  assert.equal(seen.slow, 12)
  assert.ok(seen.fast >= 1 && seen.fast <= 3, `${seen.fast} hedges`)
})

test('when both fail the client hears of it once', async (t) => {
  const { weir } = await pair(t, { timeouts: { firstByte: '300ms' }, retry: { attempts: 1 } })
  const { value, ms } = await timed(ask(t, weir.port(), 'GET /5000', { 'X-Fast': '5000' }))
  assert.equal(value.status, 504)
  assert.ok(ms < 2500, `${ms} ms`)
})
