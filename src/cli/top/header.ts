import type { LiveView, LiveWork } from '../../shared/statistics/live.ts'
import { counted, span } from '../words.ts'
import { flow, micros, rate, share } from './figures.ts'
import { type FrameSize, lineOf, type Part, partWidth, spread } from './line.ts'
import type { TopState } from './top-state.ts'

const GAP = '  '
const MOST_WORK = 3
const windowWords = { '10s': 'last 10 s', '1m': 'last minute', '5m': 'last 5 minutes', total: 'since the start' }

/** Everything together: the lines above the table. */
export function headerLines(view: LiveView, state: TopState, size: FrameSize): string[] {
  const { version, generation, uptimeSeconds, rates, latency } = view
  const right = `${windowWords[view.window]}  ${clock(view.time)}`
  const name: Part[] = [{ text: 'weir', colour: 'bold' }, ` ${version}, generation ${generation}, up ${span(uptimeSeconds * 1_000)}`]
  const { total, overhead } = latency
  const errors = `${share(rates.errorShare)} errors`
  const figures: Part[] = [
    `${rate(rates.requestsPerSecond)} req/s`,
    rates.errorShare >= 0.01 ? { text: errors, colour: 'red' } : errors,
    { text: `added by weir p99 ${micros(overhead?.p99)}`, colour: 'cyan' },
    `p50 ${micros(total?.p50)}`,
    `p99 ${micros(total?.p99)}`,
    `p99.9 ${micros(total?.p999)}`,
  ]
  return [spread(name, right, size), lineOf(asManyAsFit(figures, size), size), newsLine(view, state, size), ...workLines(view, size)]
}

/** The last ones are left out where the screen is narrow: half a figure would be a wrong one. */
function asManyAsFit(figures: readonly Part[], { columns }: FrameSize): Part[] {
  let left = columns + GAP.length
  const fitting = figures.filter((part) => {
    left -= partWidth(part) + GAP.length
    return left >= 0
  })
  return fitting.flatMap((part, index) => (index === 0 ? [part] : [GAP, part]))
}

/** How loaded it is, or why there are no news. */
function newsLine({ listeners, workers, rates }: LiveView, { problem }: TopState, size: FrameSize): string {
  if (problem !== null) return lineOf([{ text: `no news: ${problem}`, colour: 'red' }], size)
  const connections = listeners.reduce((sum, listener) => sum + listener.connections, 0)
  const ready = workers.filter((worker) => worker.state === 'ready').length
  const state: Part = {
    text: `${ready} of ${counted(workers.length, 'worker')} ready`,
    colour: ready === workers.length ? 'green' : 'yellow',
  }
  return lineOf(
    [`${counted(connections, 'connection')}   `, state, `   ${flow(rates.bytesInPerSecond)} in, ${flow(rates.bytesOutPerSecond)} out`],
    size,
  )
}

function workLines({ work, time }: LiveView, size: FrameSize): string[] {
  const shown = work
    .slice(0, MOST_WORK)
    .map((item) => lineOf([{ text: `${item.kind} ${item.subject}`, colour: 'yellow' }, `: ${rest(item, time)}`], size))
  return work.length > MOST_WORK ? [...shown, lineOf([`and ${work.length - MOST_WORK} more in progress`], size)] : shown
}

function rest({ progress, startedAt }: LiveWork, time: string): string {
  const ms = Date.parse(time) - Date.parse(startedAt)
  return ms >= 0 ? `${progress}, for ${span(ms)}` : progress
}

/** Local time: `14:05:09`. */
function clock(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString('sv-SE')
}
