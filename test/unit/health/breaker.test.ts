import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from '../../../src/primary/health/breaker.ts'
import type { BreakerConfig } from '../../../src/shared/config/model.ts'

const config: BreakerConfig = { errors: 0.5, latencyMs: null, minimum: 20, windowMs: 10_000, openMs: 10_000, rampMs: 10_000 }

/** An upstream whose exchanges end as the test says. */
class Upstream {
  now = 0
  readonly breaker: Breaker
  readonly #counters = { exchanges: 1000, failures: 900, firstByteUsSum: 5000 }

  constructor(changes: Partial<BreakerConfig> = {}) {
    this.breaker = new Breaker({ ...config, ...changes })
    assert.equal(this.look(), null)
  }

  look(afterMs = 100) {
    this.now += afterMs
    return this.breaker.observe(this.#counters, this.now)
  }

  after(exchanges: number, failures: number, firstByteMs = 1) {
    this.#counters.exchanges += exchanges
    this.#counters.failures += failures
    this.#counters.firstByteUsSum += (exchanges - failures) * firstByteMs * 1000
    return this.look()
  }
}

test('it opens when a share of at least the minimum failed in the window', () => {
  const upstream = new Upstream()
  assert.equal(upstream.after(19, 19), null)
  assert.deepEqual(upstream.after(1, 0), { at: 'open', pass: 0, reason: '95% of 20 requests in 10s failed' })
  assert.equal(upstream.breaker.pass, 0)
})

test('it stays closed below the share, and forgets what has left the window', () => {
  const upstream = new Upstream()
  for (let i = 0; i < 100; i++) assert.equal(upstream.after(10, 4), null)
  const forgetful = new Upstream()
  forgetful.after(19, 19)
  forgetful.look(10_000)
  assert.equal(forgetful.after(19, 1), null)
})

test('it opens when the mean time to the first byte is too long, where that is limited', () => {
  const upstream = new Upstream({ latencyMs: 500 })
  assert.equal(upstream.after(20, 0, 400), null)
  assert.equal(upstream.after(20, 0, 700)?.at, 'open')
})

test('after its time the share that passes grows evenly to all', () => {
  const upstream = new Upstream()
  upstream.after(20, 20)
  assert.equal(upstream.look(9_900), null)
  assert.equal(upstream.look()?.pass, 0.05)
  const passes: number[] = []
  for (let ms = 0; ms < 10_000; ms += 100) {
    const change = upstream.look()
    if (change !== null) passes.push(change.pass)
  }
  assert.deepEqual(passes, Array.from({ length: 19 }, (_, step) => (step + 2) / 20).concat(1))
  assert.equal(upstream.breaker.at, 'closed')
})

test('failing while it recovers opens it again, for the whole time', () => {
  const upstream = new Upstream()
  upstream.after(20, 20)
  upstream.look(10_000)
  assert.equal(upstream.breaker.at, 'ramp')
  assert.equal(upstream.after(20, 15)?.at, 'open')
  assert.equal(upstream.look(9_900), null)
  assert.equal(upstream.look()?.at, 'ramp')
})

test('what ends while it is open counts neither for nor against it', () => {
  const upstream = new Upstream()
  upstream.after(20, 20)
  assert.equal(upstream.after(500, 500), null)
  upstream.look(10_000)
  assert.equal(upstream.after(1, 0), null)
  assert.equal(upstream.breaker.at, 'ramp')
})

test('what made it open does not open it again after a short while', () => {
  const upstream = new Upstream({ openMs: 1000 })
  upstream.after(20, 20)
  assert.equal(upstream.look(1000)?.at, 'ramp')
  assert.notEqual(upstream.after(1, 0)?.at, 'open')
})

test('without a ramp it closes at once', () => {
  const upstream = new Upstream({ rampMs: 0 })
  upstream.after(20, 20)
  assert.equal(upstream.look(10_000)?.pass, 1)
})

test('counters that fall because a worker died change nothing', () => {
  const breaker = new Breaker(config)
  breaker.observe({ exchanges: 1000, failures: 500, firstByteUsSum: 0 }, 0)
  assert.equal(breaker.observe({ exchanges: 500, failures: 400, firstByteUsSum: 0 }, 100), null)
  assert.equal(breaker.pass, 1)
})
