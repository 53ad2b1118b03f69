// A server dies while its idle connections are pooled, and comes back: no client of a steady stream of GETs notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool } from 'undici'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { startServerProcess } from './lib/server-process.ts'
import { until } from './lib/wait.ts'

const RATE = 2_500
const TOTAL = 10_000
const TICK_MS = 10

test('10,000 GETs at a fixed rate see no error while one of two servers is killed and started again', async (t) => {
  const [first, second] = await Promise.all([startServerProcess(t), startServerProcess(t)])
  const settings = config({ servers: [first.address, second.address], upstream: { balance: 'round-robin' } })
  const weir = await startBalancer(t, settings, { workers: 2 })
  const pool = new Pool(weir.url(), { connections: 64 })
  t.after(() => pool.destroy())
  const traffic = steadyGets(pool)

  await until(() => traffic.done() > TOTAL * 0.25, { within: 10_000 })
  await first.kill()
  await until(() => traffic.done() > TOTAL * 0.5, { within: 10_000 })
  await first.restart()
  await until(() => traffic.done() === TOTAL, { within: 20_000, what: 'all requests were answered' })

  assert.deepEqual(traffic.failures, [])
  // A busy machine may have started it only after the last of them.
  await until(
    async () => {
      await (await pool.request({ method: 'GET', path: '/' })).body.text()
      return ((await first.counts())['GET'] ?? 0) > 0
    },
    { within: 5_000, what: 'the server that came back gets traffic again' },
  )
})

/** Starts requests by the clock, whether earlier ones were answered or not. */
function steadyGets(pool: Pool): { done: () => number; failures: string[] } {
  const failures: string[] = []
  const start = performance.now()
  let sent = 0
  let done = 0
  const one = async () => {
    try {
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
      const text = await body.text()
      if (statusCode !== 200 || !text.startsWith('served by')) failures.push(`${statusCode} ${text}`)
    } catch (error) {
      failures.push(String(error))
    }
    done++
  }
  const timer = setInterval(() => {
    const due = Math.min(TOTAL, Math.floor(((performance.now() - start) / 1000) * RATE))
    for (; sent < due; sent++) void one()
    if (sent === TOTAL) clearInterval(timer)
  }, TICK_MS)
  return { done: () => done, failures }
}
