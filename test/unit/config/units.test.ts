import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatDuration,
  formatShare,
  formatSize,
  longestDurationMs,
  parseDuration,
  parseShare,
  parseSize,
} from '../../../src/shared/base/units.ts'

test('durations are read in each unit and as decimals', () => {
  for (const [text, ms] of [
    ['250ms', 250],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1.1s', 1100],
    ['0s', 0],
  ] as const) {
    assert.deepEqual(parseDuration(text), { ok: true, value: ms })
  }
})

test('what is no duration says what is expected', () => {
  assert.deepEqual(parseDuration('10'), { ok: false, expected: 'a unit after the number: 10ms, 10s, 10m or 10h' })
  for (const text of ['', 's', '-1s', '1d', '1 s', '0.5ms', '1e3s', '600h', '1S']) assert.equal(parseDuration(text).ok, false, text)
})

test('sizes are read in binary and decimal units and as plain bytes', () => {
  for (const [text, bytes] of [
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1KB', 1000],
    ['2MB', 2e6],
    ['1GB', 1e9],
    ['17', 17],
    ['0', 0],
  ] as const) {
    assert.deepEqual(parseSize(text), { ok: true, value: bytes })
  }
  for (const text of ['', '1kib', '1K', '-1', '0.3B', '9'.repeat(17)]) assert.equal(parseSize(text).ok, false, text)
})

test('shares are read from 0% to 100%', () => {
  assert.deepEqual(parseShare('12.5%'), { ok: true, value: 0.125 })
  for (const text of ['20', '101%', '-1%', '%', '0.12345%']) assert.equal(parseShare(text).ok, false, text)
})

test('every duration, size and share is read back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: longestDurationMs }), (ms) => {
      assert.deepEqual(parseDuration(formatDuration(ms)), { ok: true, value: ms })
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      assert.deepEqual(parseSize(formatSize(bytes)), { ok: true, value: bytes })
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (millionths) => {
      assert.deepEqual(parseShare(formatShare(millionths / 1e6)), { ok: true, value: Number((millionths / 1e4).toFixed(4)) / 100 })
    }),
  )
})

test('no text makes a parser throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseDuration, parseSize, parseShare]) assert.equal(typeof parse(text).ok, 'boolean')
    }),
  )
})
