// Commands that are being carried out, with how far they are.
import { byId, element, Items, setAttribute, setText, show } from './dom.js'
import { span } from './words.js'

const list = new Items(byId('work-list'), workItem)
const atFirst = new Map()

/** Shows them; how far a drain is follows from what was in flight when this page first saw it. */
export function updateWork({ work, upstreams, time }) {
  const inFlight = new Map(upstreams.flatMap(({ servers }) => servers).map((server) => [server.id, server.inFlight]))
  const keys = new Set(work.map(keyOf))
  for (const key of atFirst.keys()) if (!keys.has(key)) atFirst.delete(key)
  const items = work.map((item) => ({ ...item, done: doneShare(item, inFlight.get(item.subject)), time }))
  list.update(items, keyOf)
  show(byId('work'), work.length > 0)
}

function keyOf({ kind, subject, startedAt }) {
  return `${kind} ${subject} ${startedAt}`
}

/** From 0 to 1; null where nobody can tell. */
function doneShare(item, inFlight) {
  const [, done, all] = /(\d+) of (\d+)/.exec(item.progress) ?? []
  if (all !== undefined && Number(all) > 0) return Math.min(1, Number(done) / Number(all))
  if (item.kind !== 'drain' || inFlight === undefined) return null
  const most = Math.max(atFirst.get(keyOf(item)) ?? 0, inFlight)
  atFirst.set(keyOf(item), most)
  return most === 0 ? 1 : 1 - inFlight / most
}

function workItem() {
  const what = element('b')
  const words = element('span')
  const since = element('span', { class: 'muted' })
  const bar = element('progress', { max: '1' })
  return {
    node: element('li', { class: 'card' }, what, words, bar, since),
    update({ kind, subject, progress, startedAt, done, time }) {
      setText(what, `${kind} ${subject}`)
      setText(words, progress)
      setText(since, `for ${span((Date.parse(time) - Date.parse(startedAt)) / 1_000)}`)
      setAttribute(bar, 'aria-label', `Progress of ${kind} ${subject}`)
      setAttribute(bar, 'value', done === null ? null : done.toFixed(3))
    },
  }
}
