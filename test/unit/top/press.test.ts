import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf } from '../../../src/cli/top/keys.ts'
import { type Effect, pressed } from '../../../src/cli/top/press.ts'
import { selectedServer, shownServers } from '../../../src/cli/top/server-rows.ts'
import { firstState, type TopState } from '../../../src/cli/top/top-state.ts'
import type { LiveView } from '../../../src/shared/statistics/live.ts'
import { liveView } from '../../scenario/lib/live-views.ts'

/** What these keys lead to, one after the other, with the last effect. */
function after(
  input: string,
  from: TopState = firstState('10s'),
  view: LiveView = liveView(),
): { state: TopState; effect: Effect | undefined } {
  let [state, effect]: [TopState, Effect | undefined] = [from, undefined]
  for (const key of keysOf(input)) ({ state, effect } = { effect: undefined, ...pressed(state, key, view) })
  return { state, effect }
}

const selected = (state: TopState) => selectedServer(liveView(), state)?.id
const UP = '\u001b[A'
const DOWN = '\u001b[B'

test('keys are read from what terminals send, and what is unknown is left out', () => {
  assert.deepEqual(keysOf(`a${DOWN}\u001bOA\r\u007f\u0003\u001b[5~\u001b[1;5D\u0000é`), [
    ...['a', 'down', 'up', 'enter', 'backspace', 'ctrl-c', 'pageup', 'é'],
  ])
  assert.deepEqual(keysOf('\u001b'), ['escape'])
})

test('arrows and letters select, and stop at both ends', () => {
  assert.equal(selected(after('').state), 'api/a')
  assert.equal(selected(after(`${DOWN}j`).state), 'api/c')
  assert.equal(selected(after(`jj${UP}`).state), 'api/b')
  assert.equal(selected(after('kkk').state), 'api/a')
  assert.equal(selected(after('G').state), 'images/south')
  assert.equal(selected(after('Gg').state), 'api/a')
})

test('d asks and y does it, for the server that was selected then', () => {
  const asked = after('jd')
  assert.deepEqual(asked.state.mode, {
    at: 'question',
    text: 'Drain api/b? Nothing new goes there; the 6 in flight may finish.',
    command: { verb: 'drain', server: 'api/b' },
  })
  assert.equal(asked.effect, undefined)
  // Meanwhile the rows have changed places.
  const other = liveView(0, '10s', { upstreams: liveView().upstreams.toReversed() })
  assert.deepEqual(after('y', asked.state, other).effect, { do: 'command', command: { verb: 'drain', server: 'api/b' } })
})

test('anything but yes does nothing', () => {
  for (const no of ['n', 'q', '\r', '\u001b', 'x', ' ']) {
    const { state, effect } = after(`m${no}`)
    assert.equal(effect, undefined, JSON.stringify(no))
    assert.equal(state.mode.at, no === 'x' || no === ' ' ? 'question' : 'table')
  }
})

test('a weight is typed, asked about and sent', () => {
  const { state } = after('w5x0%\r')
  assert.deepEqual(state.mode, {
    at: 'question',
    text: 'Set the weight of api/a to 50%?',
    command: { verb: 'weight', server: 'api/a', weight: '50%' },
  })
  assert.deepEqual(after('y', state).effect, { do: 'command', command: { verb: 'weight', server: 'api/a', weight: '50%' } })
  assert.equal(after('w\r').state.mode.at, 'table')
  assert.equal(after('w50\u001b').state.mode.at, 'table')
})

test('a filter is typed, and Escape goes back to the one before', () => {
  const { state } = after('/east\r')
  assert.equal(state.filter, 'east')
  assert.deepEqual(
    shownServers(liveView(), state).map(({ id }) => id),
    ['images/east'],
  )
  assert.equal(after('/xy\u001b', state).state.filter, 'east')
  assert.equal(after('\u001b', state).state.filter, '')
  assert.equal(after('/\u007f\u007f', state).state.filter, 'ea')
  // A letter that is a command elsewhere is only a letter here.
  assert.equal(after('/qd').effect, undefined)
})

test('s goes through the orders, v turns one round', () => {
  const ids = (state: TopState) => shownServers(liveView(), state).map(({ id }) => id)
  const byState = after('ss').state
  assert.deepEqual([byState.order, ids(byState)[0]], ['state', 'images/south'])
  const byFlight = after('sss').state
  assert.deepEqual(ids(byFlight).slice(0, 2), ['images/west', 'api/a'])
  assert.deepEqual(ids(after('v', byFlight).state), ids(byFlight).toReversed())
  assert.equal(after('S').state.order, 'added')
})

test('t asks for another stretch of time, q and Ctrl-C end it', () => {
  const { state, effect } = after('t')
  assert.deepEqual([state.window, effect], ['1m', { do: 'ask' }])
  assert.equal(after('tttt').state.window, '10s')
  assert.deepEqual(after('q').effect, { do: 'quit', exit: 0 })
  for (const mode of ['', 'd', 'w', '/', '?']) assert.deepEqual(after(`${mode}\u0003`).effect, { do: 'quit', exit: 130 })
})

test('without servers no key does harm', () => {
  const none = liveView(0, '10s', { upstreams: [] })
  for (const key of ['d', 'r', 'm', 'w', 'j', 'G', 's', '/']) assert.equal(after(key, firstState('10s'), none).effect, undefined)
})
