// The latency distribution: how many responses took how long. Both axes are logarithmic, so that one slow request in a million can be
// seen beside the others. Bars of equal width on that axis are filled from the buckets of the histogram.
import { byId, picture, setAttribute, setText } from './dom.js'
import { grouped, micros } from './words.js'

const HEIGHT = 226
const LEFT = 8
const BOTTOM = 24
const TOP = 44
const PER_DECADE = 20
const FLOOR = HEIGHT - BOTTOM
/** Room for the name of a mark. */
const NAME = 110

const axis = picture('g', { class: 'axis' })
const bars = picture('path', { class: 'bars' })
const marks = picture('g', { class: 'marks' })
const empty = picture('text', {
  class: 'empty',
  x: '50%',
  y: HEIGHT / 2,
  'text-anchor': 'middle',
  text: 'nothing was measured in this time',
})
const plot = picture('svg', { class: 'plot', height: HEIGHT, role: 'img' }, axis, bars, marks, empty)
byId('distribution').append(plot)
const made = { axis: '' }
let width = 0
let last = null

// Drawn in the page's own pixels, so that its text has the size of all text, on a phone too.
new ResizeObserver(([{ contentRect }]) => {
  width = Math.round(contentRect.width)
  if (last !== null) updatePlot(...last)
}).observe(byId('distribution'))

/** Shows `[upper bound in µs, count]` pairs with the quantiles of the same values. */
export function updatePlot(distribution, quantiles) {
  last = [distribution, quantiles]
  if (width === 0) return
  const filled = distribution.filter(([, count]) => count > 0)
  empty.style.display = filled.length === 0 || quantiles === null ? '' : 'none'
  if (filled.length === 0 || quantiles === null) return clear()
  const from = Math.floor(Math.log10(Math.max(1, filled[0][0]) * 0.9))
  const to = Math.max(from + 2, Math.ceil(Math.log10(filled.at(-1)[0] * 1.01)))
  const x = (value) => LEFT + ((Math.log10(Math.max(value, 10 ** from)) - from) / (to - from)) * (width - 2 * LEFT)
  drawAxis(from, to, x)
  drawBars(binned(filled, from, to), from, x)
  drawMarks(
    [
      ['p50', quantiles.p50],
      ['p99', quantiles.p99],
      ['p99.9', quantiles.p999],
    ],
    x,
  )
  setAttribute(plot, 'aria-label', inWords(quantiles))
}

function clear() {
  setAttribute(bars, 'd', '')
  marks.replaceChildren()
  setAttribute(plot, 'aria-label', 'Latency distribution: nothing was measured in this time')
}

function drawAxis(from, to, x) {
  const key = `${from} ${to} ${width}`
  if (made.axis === key) return
  made.axis = key
  axis.replaceChildren(picture('path', { class: 'base', d: `M0 ${FLOOR}H${width}` }))
  for (let power = from; power <= to; power++) {
    const at = x(10 ** power).toFixed(1)
    const anchor = power === from ? 'start' : power === to ? 'end' : 'middle'
    axis.append(picture('path', { class: 'grid', d: `M${at} ${TOP}V${FLOOR}` }))
    axis.append(picture('text', { x: at, y: HEIGHT - 6, 'text-anchor': anchor, text: powerWords(power) }))
  }
}

/** `1 µs`, `10 µs`, `1 ms`, `10 s`. */
function powerWords(power) {
  const [unit, base] = power >= 6 ? ['s', 6] : power >= 3 ? ['ms', 3] : ['µs', 0]
  return `${10 ** (power - base)} ${unit}`
}

/** Counts per bar. A bucket that is wider than a bar is spread over those that it covers. */
function binned(buckets, from, to) {
  const bins = new Array((to - from) * PER_DECADE).fill(0)
  const place = (value) => (Math.log10(value) - from) * PER_DECADE
  for (const [upper, count] of buckets) {
    const [start, end] = [
      Math.max(0, place(Math.max(0.5, upper - widthOf(upper)))),
      Math.min(bins.length, place(Math.max(1, upper) + 0.001)),
    ]
    for (let index = Math.floor(start); index < Math.min(end, bins.length); index++) {
      bins[index] += (count * (Math.min(end, index + 1) - Math.max(start, index))) / Math.max(end - start, 1e-9)
    }
  }
  return bins
}

/** Of the bucket with this upper bound, in µs: HdrHistogram's 256 sub-buckets. */
function widthOf(upper) {
  return upper < 256 ? 1 : 2 ** (Math.floor(Math.log2(upper)) - 7)
}

function drawBars(bins, from, x) {
  const most = Math.log10(1 + Math.max(...bins))
  const parts = bins.map((count, index) => {
    if (count < 0.02) return ''
    const [left, right] = [x(10 ** (from + index / PER_DECADE)), x(10 ** (from + (index + 1) / PER_DECADE))]
    const height = Math.max(1.5, (Math.log10(1 + count) / most) * (FLOOR - TOP - 4))
    return `M${left.toFixed(1)} ${FLOOR}v${-height.toFixed(1)}H${(right - 1).toFixed(1)}V${FLOOR}z`
  })
  setAttribute(bars, 'd', parts.join(''))
}

/** Names stand above their lines, one below the other where these are near. */
function drawMarks(quantiles, x) {
  while (marks.children.length < quantiles.length) marks.append(mark())
  const taken = []
  quantiles.forEach(([name, value], index) => {
    const at = x(value)
    const isLate = at > width - NAME
    const span = isLate ? [at - NAME, at] : [at, at + NAME]
    const level =
      [0, 1, 2].find((each) => !taken.some((other) => other.level === each && other.span[0] < span[1] && span[0] < other.span[1])) ?? 0
    taken.push({ level, span })
    const [line, text] = marks.children[index].children
    setAttribute(line, 'd', `M${at.toFixed(1)} ${4 + level * 13}V${FLOOR}`)
    setAttribute(text, 'x', (at + (isLate ? -5 : 5)).toFixed(1))
    setAttribute(text, 'y', String(12 + level * 13))
    setAttribute(text, 'text-anchor', isLate ? 'end' : 'start')
    setText(text, `${name} ${micros(value)}`)
  })
}

function mark() {
  return picture('g', {}, picture('path', {}), picture('text', {}))
}

function inWords({ count, p50, p99, p999, max }) {
  const parts = `half took up to ${micros(p50)}, 99% up to ${micros(p99)}, 99.9% up to ${micros(p999)}, the slowest ${micros(max)}`
  return `Latency distribution of ${grouped(count)} responses: ${parts}`
}
