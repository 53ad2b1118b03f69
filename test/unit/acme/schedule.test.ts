import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterMs } from '../../../src/primary/tls/acme/acme-requests.ts'
import { nextLookMs, renewalTime, retryDelayMs, shortestGapMs } from '../../../src/primary/tls/acme/schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const life = { notBefore: 0, notAfter: 90 * DAY }
const facts = { failures: 1, retryAfterMs: 0, leftMs: 0, random: 0 }

test('a certificate is renewed when a third of its life is left, and up to a tenth of that later', () => {
  assert.equal(renewalTime(life, 1 / 3, 0), 60 * DAY)
  assert.equal(renewalTime(life, 1 / 3, 1), 63 * DAY)
  assert.ok(renewalTime(life, 0.01, 1) < life.notAfter)
})

test('after a success nothing is ordered for an hour, or a tenth of a short life', () => {
  assert.equal(shortestGapMs(life), HOUR)
  assert.equal(shortestGapMs({ notBefore: 0, notAfter: 50_000 }), 5_000)
  assert.equal(shortestGapMs({ notBefore: 10, notAfter: 0 }), 0)
})

test('tries that fail are repeated after a minute, ever later, and after a day at most', () => {
  const delays = Array.from({ length: 2_000 }, (_, index) => retryDelayMs({ ...facts, failures: index + 1 }))
  assert.deepEqual(delays.slice(0, 4), [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE])
  assert.ok(delays.every((delay) => delay >= MINUTE && delay <= DAY))
  assert.equal(delays.at(-1), DAY)
  assert.equal(retryDelayMs({ ...facts, random: 1 }), 1.5 * MINUTE)
})

test('while a certificate is in force, tries are not further apart than a quarter of what it has left', () => {
  assert.equal(retryDelayMs({ ...facts, failures: 20, leftMs: 4 * HOUR }), HOUR)
  assert.equal(retryDelayMs({ ...facts, failures: 20, leftMs: 30 * DAY }), DAY)
  assert.equal(retryDelayMs({ ...facts, failures: 20, leftMs: 10_000 }), MINUTE)
})

test('a server that asks for patience gets it, for a week at most', () => {
  assert.equal(retryDelayMs({ ...facts, retryAfterMs: 3 * HOUR }), 3 * HOUR)
  assert.equal(retryDelayMs({ ...facts, retryAfterMs: 1_000 }), MINUTE)
  assert.equal(retryDelayMs({ ...facts, retryAfterMs: 400 * DAY, leftMs: DAY }), 7 * DAY)
})

test('somebody looks at every certificate once an hour, and at once when its time has come', () => {
  assert.equal(nextLookMs(0, 60 * DAY), HOUR)
  assert.equal(nextLookMs(0, MINUTE), MINUTE)
  assert.equal(nextLookMs(DAY, 0), 0)
})

test('Retry-After is read in seconds and as a date', () => {
  const now = Date.UTC(2026, 0, 1)
  assert.equal(retryAfterMs('120', now), 120_000)
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', now), MINUTE)
  for (const nothing of [undefined, '', 'soon', '-5', 'Thu, 01 Jan 2015 00:00:00 GMT']) assert.equal(retryAfterMs(nothing, now), 0)
})
