import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { frame } from '../../../src/cli/top/frame.ts'
import type { FrameSize } from '../../../src/cli/top/line.ts'
import { firstState, type TopState } from '../../../src/cli/top/top-state.ts'
import { widthOf } from '../../../src/cli/top/width.ts'
import type { LiveView } from '../../../src/shared/statistics/live.ts'
import { liveServer, liveView, phasesAround, ratesOf } from '../../scenario/lib/live-views.ts'

const size = (columns: number, rows: number | null, differs: Partial<FrameSize> = {}): FrameSize => {
  return { columns, rows, hasColour: false, hasUnicode: true, ...differs }
}
const state = (differs: Partial<TopState> = {}): TopState => ({ ...firstState('10s'), ...differs })

/** The view with only these servers, in one upstream. */
function withServers(servers: LiveView['upstreams'][number]['servers']): LiveView {
  const upstream = { name: 'api', balance: 'random', waiting: 0, held: 0, rates: ratesOf(0), latency: phasesAround(0, 0), servers }
  return liveView(0, '10s', { upstreams: [upstream], work: [] })
}

test('the frame shows totals, what weir added, work, upstreams and servers with their states', () => {
  const text = frame(liveView(5), size(160, 24), state()).join('\n')
  assert.match(text, /^weir 0\.1\.0, generation 42, up 3 d 3 h .* last 10 s {2}\d\d:00:05$/m)
  assert.match(text, /^1,966 req\/s {2}0\.21% errors {2}added by weir p99 90 µs {2}p50 2\.36 ms {2}p99 16\.5 ms {2}p99\.9 36\.4 ms$/m)
  assert.match(text, /^drain images\/east: 4 in flight, for 17 s$/m)
  assert.match(text, /^api: 4 of 4 serve, least-connections, 1,789 req\/s, 0\.1% errors, p99 16\.5 ms$/m)
  assert.match(text, /^images: 1 of 3 serve, power-of-two, 3 waiting, /m)
  assert.match(text, /^ {2}images\/south +down +100% +0 +0 +0% +- +- +- +▁*█{9} {2}L4CON connection refused/m)
  assert.match(text, /^> api\/a +up /m)
  assert.match(text, /^q quit/m)
})

test('a frame has exactly the lines of the screen and none is wider, whatever the size', () => {
  for (const columns of [1, 20, 40, 80, 81, 133, 240]) {
    for (const rows of [1, 3, 8, 24, 60]) {
      for (const mode of [{ at: 'table' }, { at: 'help' }, { at: 'filter', before: '' }] as const) {
        const lines = frame(liveView(3), size(columns, rows, { hasColour: true }), state({ mode }))
        assert.equal(lines.length, rows, `${columns}x${rows}`)
        const widest = Math.max(...lines.map((line) => widthOf(stripVTControlCharacters(line))))
        assert.ok(widest <= columns, `${widest} columns on ${columns}x${rows}`)
      }
    }
  }
})

test('on 80 columns the state, the load and what weir added are still there', () => {
  const lines = frame(liveView(5), size(80, 24), state())
  assert.match(lines[1] ?? '', /added by weir p99 90 µs {2}p50 2\.36 ms {2}p99 16\.5 ms$/)
  assert.match(lines.find((line) => line.includes('SERVER')) ?? '', /STATE +IN FLIGHT +REQ\/S +ERRORS +P99 +ADDED P99/)
})

test('nothing from the network steers the terminal', () => {
  const hostile = '\u001b[2J\u0007\u009b31mx\u202e\n'
  const bad = liveServer(`api/${hostile}`, { state: hostile, reason: hostile, address: hostile })
  const view: LiveView = {
    ...withServers([bad]),
    version: hostile,
    time: hostile,
    work: [{ kind: 'drain', subject: hostile, progress: hostile, startedAt: hostile }],
  }
  const modes: TopState[] = [
    state({ filter: hostile }),
    state({ message: { text: hostile, isBad: true } }),
    state({ problem: hostile, mode: { at: 'weight', server: hostile, text: '' } }),
    state({ mode: { at: 'question', text: hostile, command: { verb: 'drain', server: hostile } } }),
  ]
  for (const each of modes) {
    const text = frame(view, size(150, 20), each).join('')
    assert.doesNotMatch(text, /\p{Cc}|\p{Cf}/u)
    assert.match(text, /\ufffd/)
  }
})

test('wide and combining characters keep the columns straight', () => {
  const view = withServers([liveServer('api/服务器'), liveServer('api/e\u0301cole'), liveServer('api/plain')])
  const lines = frame(view, size(100, 12), state()).filter((line) => /api\/(服|e|plain)/.test(line))
  const before = lines.map((line) => widthOf(line.slice(0, line.indexOf(' up '))))
  assert.equal(new Set(before).size, 1, lines.join('\n'))
})

test('a terminal without colour or without Unicode gets neither', () => {
  assert.ok(
    frame(liveView(), size(100, 20, { hasColour: true }), state())
      .join('')
      .includes('\u001b[7m> api/a'),
  )
  const lines = frame(liveView(), size(150, 20, { hasUnicode: false }), state())
  assert.doesNotMatch(lines.join(''), /[^ -~]/)
  assert.match(lines.join('\n'), /\+{7}-{9}/)
  assert.match(lines[1] ?? '', /p99 90 us/)
})

test('the selected server stays on the screen, and the order is told at its column', () => {
  const many = Array.from({ length: 100 }, (_, index) => liveServer(`api/s${index}`, { inFlight: index }))
  const lines = frame(withServers(many), size(100, 20), state({ selected: 'api/s70' }))
  assert.equal(lines.filter((line) => line.startsWith('> api/s70 ')).length, 1)
  const sorted = frame(withServers(many), size(100, 20), state({ order: 'in flight' }))
  assert.match(sorted.find((line) => line.includes('SERVER')) ?? '', /IN FLIGHT▾/)
  assert.match(sorted.join('\n'), /> api\/s99 .*api\/s98 .*api\/s97 /s)
})

test('a filter leaves what has the text, and says when that is nothing', () => {
  const text = frame(liveView(), size(100, 20), state({ filter: 'WEST' })).join('\n')
  assert.match(text, /^only servers with "WEST"$/m)
  assert.match(text, /^> images\/west/m)
  assert.doesNotMatch(text, /api/)
  assert.match(frame(liveView(), size(100, 20), state({ filter: 'zzz' })).join('\n'), /no server has "zzz" in its name, address or state/)
  assert.match(frame(liveView(0, '10s', { upstreams: [] }), size(100, 20), state()).join('\n'), /the config has no upstreams/)
})

test('when there are no news it says so and why', () => {
  const text = frame(liveView(), size(100, 20), state({ problem: 'nobody answers at /run/weir.sock' })).join('\n')
  assert.match(text, /^no news: nobody answers at \/run\/weir\.sock$/m)
})

test('a long question keeps its end, where the keys are named', () => {
  const text = `Refused: ${'many words '.repeat(60)}. Do it all the same?`
  const lines = frame(liveView(), size(60, 20), state({ mode: { at: 'question', text, command: { verb: 'drain', server: 'api/a' } } }))
  assert.match(lines.at(-1) ?? '', /Do it all the same\? \[y\/n\]$/)
})

test('printed without a screen it has no words about keys and nothing selected', () => {
  const lines = frame(liveView(), size(200, null), state())
  assert.equal(lines.at(-1)?.startsWith('  images/south'), true)
  assert.doesNotMatch(lines.join('\n'), /^>|q quit/m)
})
