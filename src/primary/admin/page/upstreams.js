// Upstreams with their servers: how each is, why, what it does, and the buttons that change it.
import { checksPicture } from './checks.js'
import { askFor } from './dialog.js'
import { byId, element, Items, setAttribute, setText, show } from './dom.js'
import { stateShape, toneOf } from './states.js'
import { table } from './table.js'
import { counted, grouped, micros, rate, share } from './words.js'

const badShare = ({ rates }) => (rates.errorShare >= 0.01 ? 'bad' : null)

const columns = [
  { title: 'Server', make: nameCell },
  { title: 'State', className: 'state', make: stateCell },
  { title: 'In flight', isNumber: true, text: ({ inFlight }) => grouped(inFlight) },
  { title: 'Req/s', isNumber: true, text: ({ rates }) => rate(rates.requestsPerSecond) },
  { title: 'Errors', isNumber: true, text: ({ rates }) => share(rates.errorShare), tone: badShare },
  { title: 'First byte p50', isNumber: true, text: ({ latency }) => micros(latency.firstByte?.p50) },
  { title: 'p99', isNumber: true, text: ({ latency }) => micros(latency.firstByte?.p99) },
  { title: 'Added p99', isNumber: true, className: 'added', text: ({ latency }) => micros(latency.overhead?.p99) },
  { title: 'Checks', className: 'history', make: checksCell },
  { title: 'Weight', isNumber: true, className: 'weight', make: weightCell },
  { title: 'Operate', className: 'operate', make: operateCell },
]

const cards = new Items(byId('upstream-list'), upstreamCard)
const filter = byId('filter')
let latest = []
filter.addEventListener('input', () => updateUpstreams(latest))

/** Shows those that the filter lets through. */
export function updateUpstreams(upstreams) {
  latest = upstreams
  const word = filter.value.trim().toLowerCase()
  const found = upstreams
    .map((upstream) => ({ ...upstream, all: upstream.servers, servers: upstream.servers.filter((server) => isFound(server, word)) }))
    .filter(({ servers }) => word === '' || servers.length > 0)
  cards.update(found, ({ name }) => name)
  show(byId('upstream-none'), found.length === 0)
  setText(
    byId('upstream-none'),
    upstreams.length === 0 ? 'The config has no upstreams.' : `No server has “${filter.value}” in its name, address or state.`,
  )
}

function isFound({ id, address, state, admin }, word) {
  return word === '' || [id, address, state, admin].some((text) => text.toLowerCase().includes(word))
}

function upstreamCard() {
  const name = element('h3')
  const usable = element('span', { class: 'usable' })
  const facts = element('span', { class: 'muted' })
  const figures = element('span', { class: 'muted figures-line' })
  const servers = table({ caption: 'Servers', columns, keyOf: ({ id }) => id })
  const head = element('div', { class: 'card-head' }, name, usable, facts, figures)
  const node = element('section', { class: 'card upstream' }, head, element('div', { class: 'scroll' }, servers.node))
  return {
    node,
    update(upstream) {
      setText(name, upstream.name)
      setAttribute(node, 'aria-label', `Upstream ${upstream.name}`)
      setText(servers.node.caption, `Servers of ${upstream.name}`)
      setText(usable, usableWords(upstream))
      setAttribute(usable, 'data-tone', usableTone(upstream))
      setText(facts, factWords(upstream))
      setText(figures, figureWords(upstream))
      servers.update(upstream.servers)
    },
  }
}

const serves = ({ state }) => ['up', 'warming', 'probing'].includes(state)

function usableWords({ all }) {
  const up = all.filter(serves).length
  return up === all.length
    ? `all ${grouped(up)} serve`
    : up === 0
      ? `none of ${grouped(all.length)} serves`
      : `${grouped(up)} of ${grouped(all.length)} serve`
}

function usableTone({ all }) {
  const up = all.filter(serves).length
  return up === all.length && up > 0 ? 'good' : up === 0 ? 'bad' : 'wait'
}

function factWords({ balance, waiting, held }) {
  return [balance, waiting > 0 ? `${grouped(waiting)} waiting` : '', held > 0 ? `${grouped(held)} held` : ''].filter(Boolean).join(', ')
}

function figureWords({ rates, latency }) {
  const { total, overhead } = latency
  const times = `p50 ${micros(total?.p50)}, p99 ${micros(total?.p99)}, added p99 ${micros(overhead?.p99)}`
  return `${rate(rates.requestsPerSecond)} req/s, ${share(rates.errorShare)} errors, ${times}`
}

function nameCell() {
  const name = element('span', { class: 'name' })
  const address = element('span', { class: 'muted address' })
  return {
    node: [name, address],
    update(server) {
      setText(name, server.name)
      const more = [server.name === server.address ? '' : server.address, server.isBackup ? 'backup' : '']
      setText(address, more.filter(Boolean).join(', '))
    },
  }
}

function stateCell() {
  const shape = stateShape()
  const word = element('span')
  const reason = element('span', { class: 'muted reason' })
  const line = element('span', { class: 'state-word' }, shape.node, word)
  return {
    node: [line, reason],
    update({ state, reason: why }) {
      shape.update(state)
      setText(word, state)
      setText(reason, why ?? '')
      setAttribute(line, 'data-tone', toneOf(state))
    },
  }
}

function checksCell() {
  const checks = checksPicture()
  return { node: checks.node, update: (server) => checks.update(server.checks) }
}

function weightCell() {
  let server
  const button = element('button', { type: 'button', class: 'quiet' })
  button.addEventListener('click', () => askFor('weight', server))
  return {
    node: button,
    update(now) {
      server = now
      setText(button, `${now.weightPercent}%`)
      setAttribute(button, 'aria-label', `Weight of ${now.id}: ${now.weightPercent} percent, change`)
    },
  }
}

/** One button for each admin state; the one that holds looks pressed. */
function operateCell() {
  let server
  const buttons = ['ready', 'drain', 'maint'].map((verb) => {
    const button = element('button', { type: 'button', text: verb })
    button.addEventListener('click', () => askFor(verb, server))
    return { verb, button }
  })
  return {
    node: element('span', { class: 'switch', role: 'group' }, ...buttons.map(({ button }) => button)),
    update(now) {
      server = now
      for (const { verb, button } of buttons) {
        setAttribute(button, 'aria-pressed', String(now.admin === verb))
        setAttribute(button, 'aria-label', `${verb} ${now.id}`)
      }
      setAttribute(buttons[0].button.parentNode, 'aria-label', `Operate ${now.id}`)
    },
  }
}

/** For the title of the window: `2 down`. */
export function troubleWords(upstreams) {
  const troubled = upstreams.flatMap(({ servers }) => servers).filter(({ state }) => toneOf(state) === 'bad')
  return troubled.length === 0 ? '' : `${counted(troubled.length, 'server')} down`
}
