import { type FrameSize, lineOf } from './line.ts'
import { wrapped } from './width.ts'

const keys: readonly (readonly [string, string])[] = [
  ['↑ ↓ k j', 'select a server; PgUp, PgDn, Home and End go further'],
  ['d', 'drain it: nothing new goes there, what runs finishes'],
  ['r', 'make it ready again'],
  ['m', 'put it into maintenance: no traffic, no checks'],
  ['w', 'change its weight'],
  ['', 'each of these asks first; y does it'],
  ['/', 'show only servers with a text in name, address or state; Esc shows all again'],
  ['s S', 'sort by the next column, by the one before; v turns the order round'],
  ['t', 'figures of the last 10 s, minute, 5 minutes, or since the start'],
  ['Ctrl-L', 'draw the screen anew'],
  ['q', 'quit; weir goes on'],
]

const notes =
  'P50 and P99 are times to the first byte of the servers. ADDED P99 is what weir itself added, from bytes being readable to their ' +
  'being passed on, without waiting for room. CHECKS shows the latest health checks, the newest on the right: low marks passed, ' +
  'high ones failed. Times at the top are from the first byte of a request to the last byte of its response.'

/** What the keys and the columns mean. */
export function helpLines(size: FrameSize): string[] {
  const rows = keys.map(([key, text]) => lineOf(['  ', { text: key.padEnd(10), colour: 'bold' }, text], size))
  return [
    lineOf([{ text: 'weir top', colour: 'bold' }], size),
    '',
    ...rows,
    '',
    ...wrapped(notes, Math.min(size.columns, 110) - 2).map((line) => lineOf(['  ', line], size)),
  ]
}
