// Everything that is not a server: routes, listeners, workers, how exchanges ended.
import { byId, element, Items, setAttribute, setText, show } from './dom.js'
import { stateShape, toneOf } from './states.js'
import { table } from './table.js'
import { grouped, micros, rate, share } from './words.js'

const number = (title, text) => ({ title, isNumber: true, text })

const routes = table({
  caption: 'Routes',
  keyOf: ({ listener, name }) => `${listener} ${name}`,
  columns: [
    { title: 'Route', className: 'name', text: ({ name }) => name },
    { title: 'Listener', text: ({ listener }) => listener },
    number('Active', ({ active }) => grouped(active)),
    number('Req/s', ({ rates }) => rate(rates.requestsPerSecond)),
    { ...number('Errors', ({ rates }) => share(rates.errorShare)), tone: ({ rates }) => (rates.errorShare >= 0.01 ? 'bad' : null) },
    number('Total p50', ({ latency }) => micros(latency.total?.p50)),
    number('p99', ({ latency }) => micros(latency.total?.p99)),
    { ...number('Added p99', ({ latency }) => micros(latency.overhead?.p99)), className: 'added' },
  ],
})

const listeners = table({
  caption: 'Listeners',
  keyOf: ({ name }) => name,
  columns: [
    { title: 'Listener', className: 'name', text: ({ name }) => name },
    { title: 'Protocol', text: ({ protocol }) => protocol },
    { title: 'Addresses', className: 'addresses', text: ({ addresses }) => addresses.join(', ') },
    number('Connections', ({ connections }) => grouped(connections)),
  ],
})

const workers = table({
  caption: 'Workers',
  keyOf: ({ number: which }) => String(which),
  columns: [
    { title: 'Worker', text: ({ number: which }) => String(which) },
    { title: 'State', make: workerState },
    number('Pid', ({ pid }) => String(pid)),
    number('Connections', ({ connections }) => grouped(connections)),
    number('Tunnels', ({ tunnels }) => grouped(tunnels)),
    number('Replaced', ({ restarts }) => grouped(restarts)),
  ],
})

byId('routes').append(routes.node)
byId('listeners').append(listeners.node)
byId('workers').append(workers.node)
const ends = new Items(byId('terminations'), terminationRow)

/** Shows them. */
export function updateLists(view) {
  routes.update(view.routes)
  listeners.update(view.listeners)
  workers.update(view.workers)
  updateTerminations(view.terminations)
}

function workerState() {
  const shape = stateShape()
  const word = element('span')
  const line = element('span', { class: 'state-word' }, shape.node, word)
  return {
    node: line,
    update({ state }) {
      shape.update(state)
      setText(word, state)
      setAttribute(line, 'data-tone', toneOf(state))
    },
  }
}

function updateTerminations(terminations) {
  const found = Object.entries(terminations)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
  const all = found.reduce((sum, [, count]) => sum + count, 0)
  const mostOfOthers = Math.max(0, ...found.filter(([word]) => word !== 'ok').map(([, count]) => count))
  const rows = found.map(([word, count]) => ({ word, count, share: count / all, length: word === 'ok' ? 1 : count / mostOfOthers }))
  ends.update(rows.length === 0 ? [{ word: 'nothing ended in this time', count: null }] : rows, ({ word }) => word)
}

/** Bars of what went wrong are drawn against each other: beside what went well they would be too short to see. */
function terminationRow() {
  const word = element('th', { scope: 'row' })
  const part = element('td', { class: 'number' })
  const count = element('td', { class: 'number' })
  const bar = element('span', { class: 'ending' })
  const cell = element('td', { class: 'ending-cell', 'aria-hidden': 'true' }, bar)
  return {
    node: element('tr', {}, word, part, count, cell),
    update(row) {
      setText(word, row.word)
      setText(part, row.count === null ? '' : share(row.share))
      setText(count, row.count === null ? '' : grouped(row.count))
      show(bar, row.count !== null)
      setAttribute(bar, 'data-tone', row.word === 'ok' ? 'good' : 'wait')
      bar.style.width = `${Math.max(1, (row.length ?? 0) * 100)}%`
    },
  }
}
