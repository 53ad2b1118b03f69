import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlidingWindow } from '../../../src/primary/health/sliding-window.ts'

test('sums are those of the last window, to a tenth of it', () => {
  const step = fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), exchanges: fc.nat(9), failures: fc.nat(9), firstByteUs: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const window = new SlidingWindow(1000)
      let now = 12_345
      const all: { bucket: number; exchanges: number; failures: number; firstByteUs: number }[] = []
      for (const { afterMs, ...change } of steps) {
        now += afterMs
        window.add(change, now)
        const bucket = Math.floor(now / 100)
        all.push({ bucket, ...change })
        const recent = all.filter((one) => one.bucket > bucket - 10)
        const sum = (key: 'exchanges' | 'failures' | 'firstByteUs') => recent.reduce((total, one) => total + one[key], 0)
        const expected = { exchanges: sum('exchanges'), failures: sum('failures'), firstByteUs: sum('firstByteUs') }
        assert.deepEqual(window.totals(now), expected)
      }
    }),
  )
})
