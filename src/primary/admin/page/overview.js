// The figures of everything together, with their course.
import { byId, element, setAttribute, setText } from './dom.js'
import { sparkline } from './spark.js'
import { flow, micros, rate, share, span } from './words.js'

const curves = { requests: sparkline(), errors: sparkline(), latency: sparkline(), overhead: sparkline() }
const requests = figure('Requests', 'figure', [''], curves.requests)
const errors = figure('Errors', 'figure', [''], curves.errors)
const latency = figure('Latency', 'figure wide', ['p50', 'p99', 'p99.9'], curves.latency)
const overhead = figure('Added by weir', 'figure added', ['p99'], curves.overhead)
byId('figures').append(requests.node, errors.node, latency.node, overhead.node)

/** One of the figures: a title, values with their names, a note and a curve. */
function figure(title, className, names, curve) {
  const values = names.map(() => element('b'))
  const list = names.map((name, index) =>
    element('span', {}, ...(name === '' ? [] : [element('small', { text: name }), ' ']), values[index]),
  )
  const note = element('dd', { class: 'note' })
  const node = element('div', { class: className }, element('dt', { text: title }), element('dd', { class: 'values' }, ...list), note)
  node.append(element('dd', { class: 'course' }, curve.node))
  return {
    node,
    update(texts, noteText) {
      texts.forEach((text, index) => setText(values[index], text))
      setText(note, noteText)
    },
  }
}

let lastTime = ''

/** Shows them, and goes one step on with the curves where the view is another than before. */
export function updateOverview({ time, rates, latency: phases, version, generation, uptimeSeconds }) {
  const { total, overhead: added } = phases
  requests.update([`${rate(rates.requestsPerSecond)}/s`], `${flow(rates.bytesInPerSecond)} in, ${flow(rates.bytesOutPerSecond)} out`)
  errors.update([share(rates.errorShare)], 'failed servers, and answers of 500 and above')
  setAttribute(errors.node, 'data-tone', rates.errorShare >= 0.01 ? 'bad' : null)
  latency.update(
    [micros(total?.p50), micros(total?.p99), micros(total?.p999)],
    `first byte in to last byte out; most ${micros(total?.max)}`,
  )
  overhead.update([micros(added?.p99)], `p50 ${micros(added?.p50)}, p99.9 ${micros(added?.p999)}; waits not counted`)
  setText(byId('facts'), `${version}, generation ${generation}, up ${span(uptimeSeconds)}`)
  if (time === lastTime) return
  lastTime = time
  curves.requests.add(rates.requestsPerSecond)
  curves.errors.add(rates.errorShare)
  curves.latency.add(total?.p99 ?? null)
  curves.overhead.add(added?.p99 ?? null)
}

/** Another stretch of time is shown: its figures do not continue the curves. */
export function clearCourse() {
  for (const curve of Object.values(curves)) curve.clear()
}
