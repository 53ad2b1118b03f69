// The last 64 health checks of a server as a picture: low marks are good ones, high ones are failures, the newest is on the right.
import { picture, setAttribute } from './dom.js'
import { counted } from './words.js'

const SLOTS = 64
const STEP = 2
const HEIGHT = 16

/** `update('++-+')`. */
export function checksPicture() {
  const none = picture('path', { class: 'none' })
  const good = picture('path', { class: 'good' })
  const bad = picture('path', { class: 'bad' })
  const box = { class: 'checks', viewBox: `0 0 ${SLOTS * STEP} ${HEIGHT}`, role: 'img', 'shape-rendering': 'crispEdges' }
  const node = picture('svg', { ...box, preserveAspectRatio: 'none' }, none, good, bad)
  let last = null
  return {
    node,
    update(checks) {
      if (checks === last) return
      last = checks
      const slots = [...checks.slice(-SLOTS).padStart(SLOTS)]
      setAttribute(none, 'd', marks(slots, ' ', 1))
      setAttribute(good, 'd', marks(slots, '+', 6))
      setAttribute(bad, 'd', marks(slots, '-', HEIGHT))
      setAttribute(node, 'aria-label', inWords(checks.slice(-SLOTS)))
    },
  }
}

function marks(slots, mark, height) {
  return slots.map((slot, index) => (slot === mark ? `M${index * STEP} ${HEIGHT - height}h1v${height}h-1z` : '')).join('')
}

/** `64 checks, 3 failed, the last failure 5 checks ago`. */
function inWords(checks) {
  if (checks === '') return 'no checks'
  const failed = [...checks].filter((check) => check === '-').length
  if (failed === 0) return `${counted(checks.length, 'check')}, none failed`
  const since = checks.length - 1 - checks.lastIndexOf('-')
  const when = since === 0 ? 'the last one among them' : `the last failure ${counted(since, 'check')} ago`
  return `${counted(checks.length, 'check')}, ${failed} failed, ${when}`
}
