// States of servers and workers: each has a shape, a tone and a word, so that colour never stands alone.
import { picture } from './dom.js'

const DISC = 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z'
const RING = `${DISC}M8 4.3a3.7 3.7 0 1 0 0 7.4a3.7 3.7 0 0 0 0-7.4z`
const HALF = `${RING}M8 4.3a3.7 3.7 0 0 1 0 7.4z`
const CROSS = 'M3.2 4.6l1.4-1.4L8 6.6l3.4-3.4l1.4 1.4L9.4 8l3.4 3.4l-1.4 1.4L8 9.4l-3.4 3.4l-1.4-1.4L6.6 8z'
const TRIANGLE = 'M8 2.2l6.4 11.3H1.6z'
const ARROW = 'M7 2.5h2v6.2l2.6-2.6L13 7.5l-5 5l-5-5l1.4-1.4L7 8.7z'
const DASH = 'M2.5 7h11v2h-11z'
const BARS = 'M3.5 3h3v10h-3zM9.5 3h3v10h-3z'
const DOT = `${RING}M8 6.3a1.7 1.7 0 1 1 0 3.4a1.7 1.7 0 0 1 0-3.4z`

const looks = {
  up: [DISC, 'good'],
  ready: [DISC, 'good'],
  warming: [HALF, 'wait'],
  starting: [HALF, 'wait'],
  probing: [DOT, 'wait'],
  unknown: [RING, 'wait'],
  down: [CROSS, 'bad'],
  gone: [CROSS, 'bad'],
  stalled: [TRIANGLE, 'bad'],
  ejected: [TRIANGLE, 'bad'],
  draining: [ARROW, 'away'],
  drained: [DASH, 'away'],
  maint: [BARS, 'away'],
}

/** good, wait, bad or away: how much it should catch the eye. */
export function toneOf(state) {
  return (looks[state] ?? [RING, 'wait'])[1]
}

/** Whether somebody should look at it. */
export function isTrouble(state) {
  return toneOf(state) === 'bad'
}

/** The shape, for which the word stands beside it. `update(state)` changes it. */
export function stateShape() {
  const path = picture('path', {})
  const node = picture('svg', { class: 'shape', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, path)
  let last = ''
  return {
    node,
    update(state) {
      if (state === last) return
      last = state
      path.setAttribute('d', (looks[state] ?? [RING])[0])
    },
  }
}
