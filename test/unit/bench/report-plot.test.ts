import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { axisFor } from '../../../src/cli/bench/report/plot/axis.ts'
import { spreadOut } from '../../../src/cli/bench/report/plot/labels.ts'
import { linePlot } from '../../../src/cli/bench/report/plot/line-plot.ts'
import { linearScale, linearTicks, logScale, logTicks, widened } from '../../../src/cli/bench/report/plot/scale.ts'
import { escaped, path } from '../../../src/cli/bench/report/plot/svg.ts'

const positive = fc.double({ min: 1e-4, max: 1e9, noNaN: true })
const domains = fc.tuple(positive, fc.double({ min: 1.01, max: 1e7, noNaN: true })).map(([low, factor]) => ({ low, high: low * factor }))
const counts = fc.integer({ min: 3, max: 10 })

test('linear ticks are round, inside, evenly apart and about as many as were wished', () => {
  fc.assert(
    fc.property(domains, counts, (domain, count) => {
      const ticks = linearTicks(domain, count)
      const step = (ticks[1] ?? 0) - (ticks[0] ?? 0)
      assert.ok(ticks.length >= 1 && ticks.length <= count * 2 + 1, `${ticks}`)
      assert.ok(
        ticks.every((tick) => tick >= domain.low - step * 1e-6 && tick <= domain.high + step * 1e-6),
        `${ticks}`,
      )
      for (const [index, tick] of ticks.slice(1).entries()) assert.ok(Math.abs(tick - (ticks[index] ?? 0) - step) < step * 1e-6)
      if (ticks.length > 1) assert.match(step.toExponential(3), /^[125]\.000e/)
    }),
  )
})

test('log ticks rise, stay inside and are never too many', () => {
  fc.assert(
    fc.property(domains, counts, (domain, count) => {
      const ticks = logTicks(domain, count)
      assert.ok(ticks.length <= count * 2 + 1, `${ticks}`)
      assert.deepEqual(
        ticks,
        ticks.toSorted((a, b) => a - b),
      )
      assert.ok(
        ticks.every((tick) => tick >= domain.low * 0.999 && tick <= domain.high * 1.001),
        `${ticks}`,
      )
      if (domain.high / domain.low >= 100) assert.ok(ticks.length >= 2, `${ticks}`)
    }),
  )
  assert.deepEqual(logTicks({ low: 1, high: 10_000 }, 5), [1, 10, 100, 1_000, 10_000])
  assert.deepEqual(logTicks({ low: 1, high: 100 }, 6), [1, 2, 5, 10, 20, 50, 100])
})

test('a widened domain holds the values and begins and ends at ticks', () => {
  fc.assert(
    fc.property(domains, counts, (domain, count) => {
      const wide = widened(domain, count)
      const error = (wide.high - wide.low) * 1e-6
      assert.ok(wide.low <= domain.low + error && wide.high >= domain.high - error)
    }),
  )
})

test('scales keep order and meet both ends', () => {
  fc.assert(
    fc.property(domains, ({ low, high }) => {
      for (const scale of [linearScale({ low, high }, [300, 10]), logScale({ low, high }, [300, 10])]) {
        assert.ok(Math.abs(scale.at(low) - 300) < 1e-6 && Math.abs(scale.at(high) - 10) < 1e-3)
        assert.ok(scale.at(Math.sqrt(low * high)) <= 300 && scale.at(Math.sqrt(low * high)) >= 10)
      }
    }),
  )
  assert.throws(() => logScale({ low: 0, high: 1 }, [0, 1]), /above 0/)
})

test('an axis takes a logarithm only where a straight line would hide the small values', () => {
  const wish = { title: '', kind: 'auto' as const, text: String }
  assert.equal(axisFor([1, 20], wish).kind, 'linear')
  assert.equal(axisFor([1, 200], wish).kind, 'log')
  assert.deepEqual(axisFor([3, 20], wish).domain, { low: 0, high: 20 })
  assert.equal(axisFor([], wish).kind, 'linear')
  assert.equal(axisFor([0, 0], wish).kind, 'linear')
})

test('labels never overlap, keep their order and stay inside where they fit', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1, maxLength: 20 }), (ys) => {
      const places = spreadOut(
        ys.map((y) => ({ text: '', y })),
        15,
        0,
        300,
      )
      const order = ys.map((_, index) => index).toSorted((a, b) => (ys[a] ?? 0) - (ys[b] ?? 0))
      const sorted = order.map((index) => places[index] ?? 0)
      for (const [index, y] of sorted.slice(1).entries()) assert.ok(y - (sorted[index] ?? 0) >= 15 - 1e-6, `${sorted}`)
      assert.ok((sorted[0] ?? 0) >= 7.5 - 1e-6 && (sorted.at(-1) ?? 0) <= 292.5 + 1e-6, `${sorted}`)
    }),
  )
  assert.deepEqual(
    spreadOut(
      [
        { text: 'a', y: 40 },
        { text: 'b', y: 200 },
      ],
      15,
      0,
      300,
    ),
    [40, 200],
  )
})

test('a line is interrupted where a value is missing, and a plot has no number that is none', () => {
  assert.equal(path([[0, 1], [2, 3], null, [4, 5.06]]), 'M0 1L2 3M4 5.1')
  const axis = axisFor([1, 5], { title: '<ms>', kind: 'linear', text: String })
  const svg = linePlot({
    width: 300,
    height: 200,
    x: axis,
    y: axis,
    series: [
      {
        name: '<b>',
        ink: 7,
        points: [[1, 1], null, [5, 5]],
        band: [
          { x: 1, low: 1, high: 2 },
          { x: 5, low: 4, high: 5 },
        ],
      },
    ],
    marks: [{ at: 4.9, text: 'late' }],
    labels: 'ends',
    description: '"quoted"',
  })
  assert.doesNotMatch(svg, /NaN|undefined|<b>|<ms>/)
  assert.match(svg, /aria-label="&#34;quoted&#34;"/)
  assert.match(svg, /stroke-dasharray="6 3"/)
  assert.equal(escaped('<&>'), '&#60;&#38;&#62;')
})
