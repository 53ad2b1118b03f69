/** What happened to one request, in words. Pure. */
import type { LogRecord, ServerMoment, ServerStory, WhyData } from '../../shared/control/record-data.ts'
import { type Cell, coloured, type Screen, table } from '../table.ts'
import { micros, placeOf, whatOf } from '../tail/record-text.ts'
import { counted, printable, span } from '../words.ts'
import { attemptWords } from './attempt-words.ts'
import { endingOf } from './endings.ts'
import { phaseChart } from './phase-chart.ts'

export function whyText({ record, count, servers }: WhyData, screen: Screen): string {
  const parts = [
    headText(record, count, screen),
    section('What happened', timeline(record), screen),
    section('Where the time went', [...phaseChart(record), ...measures(record)], screen),
    ...(servers.length === 0
      ? []
      : [`${coloured(`Servers of ${printable(record.upstream ?? '')}`, 'bold', screen)}\n${serversText(servers, screen)}`]),
    section('How it ended', ending(record), screen),
  ]
  return parts.join('\n')
}

function headText(record: LogRecord, count: number, screen: Screen): string {
  const { time = '', client = '', totalUs = 0, worker, listener = '', headers = {}, userAgent } = record
  const lines = [
    coloured(printable(whatOf(record)), 'bold', screen),
    `from ${printable(client)} on listener ${printable(listener)}, worker ${worker ?? '?'}`,
    `ended ${printable(time)} after ${micros(totalUs)}, request id ${printable(record.requestId ?? '')}`,
    ...(userAgent === undefined ? [] : [`user agent ${printable(userAgent)}`]),
    ...Object.entries(headers).map(([name, value]) => `${printable(name)}: ${printable(value)}`),
    ...(count > 1 ? [`${count} requests have this id; this is the latest of them`] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** One line for each thing that happened, with when it did. */
function timeline(record: LogRecord): string[] {
  const { queueUs = 0, failedAttempts = [], totalUs = 0, route, upstream } = record
  const steps: [atUs: number, text: string][] = [[0, `it came${routeWords(route, upstream)}`]]
  if (queueUs > 0 && failedAttempts.length === 0) steps.push([queueUs, `it had waited ${micros(queueUs)} for a server`])
  for (const attempt of failedAttempts)
    steps.push([attempt.atUs, `${printable(attempt.server ?? 'a server')} failed: ${attemptWords(attempt)}`])
  steps.sort(([one], [other]) => one - other)
  steps.push([totalUs, lastWords(record)])
  return steps.map(([atUs, text]) => `${micros(atUs).padStart(9)}  ${text}`)
}

function routeWords(route: string | undefined, upstream: string | undefined): string {
  const to = upstream === undefined ? '' : `, for upstream ${printable(upstream)}`
  return route === undefined || route === '' ? to : `, and took the route ${printable(route)}${to}`
}

function lastWords(record: LogRecord): string {
  const { status = 0, firstByteUs, attempts = 0, isReused = false, isHedged = false, server, kind, bytesIn = 0, bytesOut = 0 } = record
  const bytes = `${counted(bytesIn, 'byte')} from the client, ${counted(bytesOut, 'byte')} to it`
  if (kind === 'tunnel' && status === 0) return `the connection to ${printable(placeOf(record))} ended: ${bytes}`
  // What a server answered has a time to its first byte.
  const isOwn = server === undefined || firstByteUs === undefined
  const who = isOwn ? 'weir itself' : `${printable(placeOf(record))} on a ${isReused ? 'pooled' : 'new'} connection`
  const tries = attempts > 1 ? `, after ${counted(attempts, 'attempt')}` : ''
  const hedge = isHedged ? '; a second server was asked meanwhile, as the first was late' : ''
  if (status === 0) return `it ended without a response${tries}: ${bytes}`
  return `answered with ${status} by ${who}${tries}${hedge}: ${bytes}`
}

function measures({ overheadUs, totalUs = 0 }: LogRecord): string[] {
  if (overheadUs === undefined) return [`${'in all'.padEnd(22)}${micros(totalUs).padStart(9)}`]
  return [`${'in all'.padEnd(22)}${micros(totalUs).padStart(9)}`, `${'of it added by weir'.padEnd(22)}${micros(overheadUs).padStart(9)}`]
}

function serversText(servers: readonly ServerStory[], screen: Screen): string {
  const rows = servers.map(({ id, atFirst, later }): Cell[] => [
    id,
    atFirst === null ? 'not there' : stateCell(atFirst.state),
    atFirst === null ? '' : `for ${span(Math.max(0, -atFirst.atMs))}`,
    [atFirst?.why ?? '', ...later.map(laterWords)].filter((part) => part !== '').join('; '),
  ])
  return table([{ title: 'SERVER' }, { title: 'WHEN IT CAME' }, { title: '' }, { title: 'WHY, AND WHAT CHANGED' }], rows, screen)
}

function laterWords({ atMs, state, why }: ServerMoment): string {
  return `${state} ${span(atMs)} later${why === '' ? '' : ` (${why})`}`
}

function stateCell(state: string): Cell {
  if (state === 'up') return { text: state, colour: 'green' }
  return { text: state, colour: ['down', 'ejected'].includes(state) ? 'red' : 'yellow' }
}

function ending({ termination = 'ok', status = 0, server, firstByteUs }: LogRecord): string[] {
  const known = endingOf(termination)
  if (known === null) return [printable(termination)]
  const { meaning, advice } = known
  const own =
    termination === 'ok' && status >= 500 && server !== undefined && firstByteUs !== undefined
      ? [`The status ${status} is the server's own: its log says more.`]
      : []
  return [`${termination}: ${meaning}`, ...own, ...(advice === '' ? [] : [advice])]
}

function section(title: string, lines: readonly string[], screen: Screen): string {
  return `${coloured(title, 'bold', screen)}\n${lines.map((line) => `  ${line}\n`).join('')}`
}
