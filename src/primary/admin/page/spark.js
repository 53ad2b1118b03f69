// Small curves of what this page has seen since it was opened. They show the course; the figures beside them are the text.
import { picture } from './dom.js'

const WIDTH = 120
const HEIGHT = 28
const MOST = 120

/** A curve of the last two minutes. `add(value)` goes one second on, null leaves a gap; `clear()` begins anew. */
export function sparkline() {
  const area = picture('path', { class: 'area' })
  const line = picture('path', { class: 'line', 'vector-effect': 'non-scaling-stroke' })
  const box = { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }
  const node = picture('svg', box, area, line)
  const values = []
  return {
    node,
    add(value) {
      values.push(value)
      if (values.length > MOST) values.shift()
      const runs = runsOf(values)
      line.setAttribute('d', runs.map((run) => `M${run.join('L')}`).join(''))
      area.setAttribute('d', runs.map((run) => `M${run[0][0]} ${HEIGHT}L${run.join('L')}L${run.at(-1)[0]} ${HEIGHT}z`).join(''))
    },
    clear() {
      values.length = 0
    },
  }
}

/** Points of the curve, in one list for each stretch without a gap. */
function runsOf(values) {
  const top = Math.max(...values.map((value) => value ?? 0)) || 1
  const runs = [[]]
  values.forEach((value, index) => {
    if (value === null) return void (runs.at(-1).length > 0 && runs.push([]))
    const x = (WIDTH * (MOST - values.length + index)) / (MOST - 1)
    runs.at(-1).push([x.toFixed(1), (HEIGHT - 1.5 - (value / top) * (HEIGHT - 4)).toFixed(1)])
  })
  return runs.filter((run) => run.length > 1)
}
