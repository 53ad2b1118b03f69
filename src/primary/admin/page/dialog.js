// Asks before a server is changed, says what will happen, and shows what weir answered.
import { byId, setText, show } from './dom.js'
import { counted } from './words.js'

const dialog = byId('dialog')
const weight = byId('weight')
const strict = byId('strict')
const force = byId('force')
const confirm = byId('dialog-confirm')

const texts = {
  drain: {
    title: ({ id }) => `Drain ${id}?`,
    text: (server) =>
      `It gets no new requests and connections; other servers of its upstream take them. ${remaining(server)} Its checks go on.`,
    confirm: 'Drain',
  },
  ready: {
    title: ({ id }) => `Make ${id} ready?`,
    text: () => 'It gets traffic again as soon as its checks allow, little at first where the upstream has a slow start.',
    confirm: 'Make ready',
  },
  maint: {
    title: ({ id }) => `Put ${id} into maintenance?`,
    text: (server) => `It gets nothing new, its health checks stop and its idle connections are closed. ${remaining(server)}`,
    confirm: 'Start maintenance',
  },
  weight: {
    title: ({ id }) => `Weight of ${id}`,
    text: () => 'Its share of the new requests changes at once. What runs there is not touched. At 0% it gets nothing new.',
    confirm: 'Set weight',
  },
}

function remaining({ inFlight, tunnels }) {
  if (inFlight === 0) return 'Nothing is in flight there.'
  const open = tunnels > 0 ? `, ${counted(tunnels, 'tunnel')} among them` : ''
  return inFlight === 1
    ? `What is in flight there${tunnels > 0 ? ', a tunnel,' : ''} finishes.`
    : `The ${inFlight} that are in flight there finish${open}.`
}

let asked = null
let isBusy = false
let tellDone = () => undefined
let tellLocked = () => undefined

/** What the page does with the words of an answer, and where weir asks for a login. */
export function onAnswers({ done, locked }) {
  tellDone = done
  tellLocked = locked
}

/** Opens the dialog for a verb and a server. The browser keeps the focus inside and gives it back afterwards. */
export function askFor(verb, server) {
  asked = { verb, server }
  const { title, text, confirm: word } = texts[verb]
  setText(byId('dialog-title'), title(server))
  setText(byId('dialog-text'), text(server))
  setText(confirm, word)
  confirm.dataset.tone = verb === 'drain' || verb === 'maint' ? 'away' : ''
  show(byId('dialog-weight'), verb === 'weight')
  show(byId('dialog-strict'), verb === 'drain')
  weight.value = `${server.weightPercent}%`
  strict.checked = false
  complain('', false)
  dialog.showModal()
  if (verb === 'weight') weight.select()
}

byId('dialog-cancel').addEventListener('click', () => dialog.close())
byId('dialog-form').addEventListener('submit', (event) => {
  event.preventDefault()
  if (!isBusy) void send()
})

async function send() {
  isBusy = true
  const { verb, server } = asked
  try {
    const { answer, status } = await post(`api/${verb}`, requestOf(verb, server))
    if (status === 401) {
      dialog.close()
      tellLocked()
    } else if (answer.error !== undefined) {
      const { exit, message } = answer.error
      // Some refusals are undone by saying it twice: those that would leave an upstream without a server.
      complain(exit === 5 ? `Refused: ${plain(message)}` : message, message.includes('--force'))
    } else {
      dialog.close()
      tellDone(answer.data.what)
    }
  } catch {
    complain('weir did not answer. Whether it was done will show in the state of the server.', false)
  } finally {
    isBusy = false
  }
}

function requestOf(verb, { id }) {
  return {
    server: id,
    ...(verb === 'weight' ? { weight: weight.value.trim() } : {}),
    ...(verb === 'drain' && strict.checked ? { strict: true } : {}),
    ...(force.checked ? { force: true } : {}),
  }
}

/** Sends JSON to weir and reads its answer. */
export async function post(path, body) {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  return { status: response.status, answer: text.startsWith('{') ? JSON.parse(text) : {} }
}

function complain(text, canForce) {
  setText(byId('dialog-fault'), text)
  show(byId('dialog-force'), canForce)
  force.checked = false
}

/** Commands have an option for what the dialog has a box for. */
function plain(message) {
  return message.replace(/; use --force .*$/, '')
}
