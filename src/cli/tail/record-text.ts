/** One record as one line for people. Pure. */
import type { LogRecord } from '../../shared/control/record-data.ts'
import { type Colour, coloured, cut, type Screen } from '../table.ts'
import { printable } from '../words.ts'

const LEAST_URL = 16

/** `12:00:01.234 200  12.3 ms  +0.08 api/a  GET example.com/v1/x`, and how it ended where that was not well; with its line feed. */
export function recordText(record: LogRecord, screen: Screen): string {
  const status = statusText(record)
  const begin = [clock(record.time), status.padEnd(3), micros(record.totalUs ?? 0).padStart(8), overhead(record).padStart(7)]
  const place = printable(placeOf(record)).padEnd(16)
  const end = endText(record)
  const before = [...begin, place].join(' ').length + 2
  const room =
    screen.width === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_URL, screen.width - before - (end === '' ? 0 : end.length + 2))
  const [time, , total, added] = begin as [string, string, string, string]
  const colour = colourOf(record)
  return [
    coloured(time, 'dim', screen),
    coloured(status.padEnd(3), colour, screen),
    total,
    coloured(added, 'dim', screen),
    place,
    ` ${cut(printable(whatOf(record)), room)}${end === '' ? '' : `  ${coloured(end, colour, screen)}`}\n`,
  ].join(' ')
}

/** Microseconds for people: `85 us`, `1.2 ms`, `340 ms`, `2.5 s`. */
export function micros(us: number): string {
  if (us < 1_000) return `${us} us`
  if (us < 999_500) return `${us < 99_950 ? (us / 1_000).toFixed(1) : Math.round(us / 1_000)} ms`
  return `${(us / 1_000_000).toFixed(us < 99_950_000 ? 1 : 0)} s`
}

/** The method and the URL of a request; of a tunnel, what was asked for by its client, where it said so. */
export function whatOf({ method, host = '', path = '', query, kind, protocol, listener = '' }: LogRecord): string {
  const url = `${host}${path}${query === undefined ? '' : `?${query}`}`
  if (method !== undefined) return `${method} ${url}`
  return kind === 'tunnel' ? `${protocol ?? 'tcp'} connection${host === '' ? ` on ${listener}` : ` for ${host}`}` : url
}

/** `api/a`; without a server, the upstream or nothing. */
export function placeOf({ upstream, server }: LogRecord): string {
  if (upstream === undefined || upstream === '') return '-'
  return server === undefined ? upstream : `${upstream}/${server}`
}

function statusText({ status = 0, kind }: LogRecord): string {
  if (status > 0) return String(status)
  return kind === 'tunnel' ? 'tcp' : '-'
}

function colourOf({ status = 0, termination = 'ok' }: LogRecord): Colour {
  if (status >= 500 || (termination !== 'ok' && status < 400)) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 300 ? 'cyan' : 'green'
}

/** How it ended, where somebody may ask. */
function endText({ termination = 'ok', attempts = 1, isHedged = false }: LogRecord): string {
  const words = [termination === 'ok' ? '' : printable(termination), attempts > 1 ? `${attempts} attempts` : '', isHedged ? 'hedged' : '']
  return words.filter((word) => word !== '').join(', ')
}

/** Milliseconds that weir itself added; a tunnel has none. */
function overhead({ overheadUs }: LogRecord): string {
  return overheadUs === undefined ? '' : `+${(overheadUs / 1_000).toFixed(2)}`
}

/** Local time. */
function clock(time: string | undefined): string {
  const date = new Date(time ?? Number.NaN)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  const part = (value: number, digits = 2) => String(value).padStart(digits, '0')
  return `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`
}
