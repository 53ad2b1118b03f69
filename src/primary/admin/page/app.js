// The dashboard: gets a view of everything each second and shows it. Each part of the page is a file of its own.
import { onAnswers, post } from './dialog.js'
import { byId, setAttribute, setText, show } from './dom.js'
import { updateLists } from './lists.js'
import { clearCourse, updateOverview } from './overview.js'
import { updatePlot } from './plot.js'
import { LiveStream } from './stream.js'
import { troubleWords, updateUpstreams } from './upstreams.js'
import { span } from './words.js'
import { updateWork } from './work.js'

const TOAST_MS = 6_000
const MOST_ANNOUNCED = 3

const stream = new LiveStream({ onView, onLink })
let states = null
let link = 'connecting'
let toastTimer = null

function onView(view) {
  show(byId('main'), true)
  show(byId('login'), false)
  updateOverview(view)
  updateWork(view)
  updateUpstreams(view.upstreams)
  updatePlot(view.distribution, view.latency.total)
  updateLists(view)
  announceStates(view)
  const trouble = troubleWords(view.upstreams)
  document.title = trouble === '' ? 'weir' : `${trouble} · weir`
}

const linkWords = { connecting: 'connecting', live: 'live', stale: 'no news', lost: 'reconnecting', locked: 'logged out' }

function onLink(state, age) {
  setAttribute(byId('link'), 'data-state', state)
  setText(byId('link-text'), linkWords[state])
  const old = age === null ? 'there is no data yet' : `what you see is ${span(age)} old`
  const notices = {
    stale: `weir has sent nothing for ${span(age ?? 0)}: ${old}.`,
    lost: `The connection to weir is lost: ${old}. It is tried again and again.`,
  }
  show(byId('notice'), notices[state] !== undefined)
  setText(byId('notice'), notices[state] ?? '')
  if (state === link) return
  if (state === 'locked') openLogin()
  if (state === 'lost' && link !== 'connecting') announce('The connection to weir is lost.')
  if (state === 'stale') announce('weir sends nothing at the moment.')
  if (state === 'live' && ['lost', 'stale'].includes(link)) announce('Connected to weir again.')
  link = state
}

/** For those who listen to the page: only what has changed, and never a figure. */
function announceStates({ upstreams }) {
  const now = new Map(upstreams.flatMap(({ servers }) => servers).map(({ id, state }) => [id, state]))
  const changes = states === null ? [] : [...now].filter(([id, state]) => states.has(id) && states.get(id) !== state)
  states = now
  if (changes.length === 0) return
  const named = changes.slice(0, MOST_ANNOUNCED).map(([id, state]) => `${id} is ${state}`)
  if (changes.length > MOST_ANNOUNCED) named.push(`and ${changes.length - MOST_ANNOUNCED} more servers changed`)
  announce(`${named.join(', ')}.`)
}

function announce(text) {
  setText(byId('announcement'), text)
}

onAnswers({
  done(words) {
    announce(words)
    setText(byId('toast'), words)
    show(byId('toast'), true)
    clearTimeout(toastTimer)
    toastTimer = setTimeout(() => show(byId('toast'), false), TOAST_MS)
  },
  locked: () => void stream.open(),
})

function openLogin() {
  show(byId('main'), false)
  show(byId('login'), true)
  setText(byId('login-fault'), '')
  byId('token').focus()
}

byId('login-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const token = byId('token').value
  const { status, answer } = await post('login', { token }).catch(() => ({ status: 0, answer: {} }))
  if (status < 200 || status >= 300) {
    const said = answer.error?.message ?? (status === 0 ? 'weir did not answer: try again' : `weir answered with status ${status}`)
    return setText(byId('login-fault'), status === 401 ? 'That is not the token.' : said)
  }
  byId('token').value = ''
  show(byId('logout'), true)
  void stream.open()
})

byId('logout').addEventListener('click', async () => {
  await post('logout', {}).catch(() => undefined)
  show(byId('logout'), false)
  void stream.open()
})

byId('windows').addEventListener('change', ({ target }) => {
  clearCourse()
  void stream.open(target.value)
})

// A browser that comes back to the page may have kept another choice.
void stream.open(byId('windows').querySelector(':checked')?.value ?? '10s')
