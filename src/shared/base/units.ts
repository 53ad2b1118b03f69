/** Durations, sizes and shares as people write them, and back. Pure; nothing here knows about configuration. */

export type Measured = { ok: true; value: number } | { ok: false; expected: string }

const durationUnits: [unit: string, ms: number][] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]
const sizeUnits: [unit: string, bytes: number][] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['GB', 1e9],
  ['MB', 1e6],
  ['KB', 1e3],
  ['B', 1],
]

/** The longest duration that a Node.js timer can hold, in milliseconds: about 24 days and 20 hours. */
export const longestDurationMs = 2 ** 31 - 1

/** Regular expressions of the three forms, for JSON Schema. They accept a little more than the parsers do. */
export const unitPatterns = {
  duration: '^\\d+(\\.\\d+)?(ms|s|m|h)$',
  size: '^\\d+(\\.\\d+)?(B|KB|MB|GB|KiB|MiB|GiB)?$',
  share: '^\\d+(\\.\\d+)?%$',
}

/** Reads `250ms`, `2s`, `1.5m` or `1h`; the value is in whole milliseconds, at most `longestDurationMs`. */
export function parseDuration(text: string): Measured {
  const parts = split(text)
  if (!parts) return failed('a number and one of the units ms, s, m, h, such as 250ms, 2s, 5m or 1h')
  if (parts.unit === '') return failed(`a unit after the number: ${parts.number}ms, ${parts.number}s, ${parts.number}m or ${parts.number}h`)
  const ms = durationUnits.find(([unit]) => unit === parts.unit)?.[1]
  if (ms === undefined) return failed('one of the units ms, s, m, h after the number')
  return whole(parts.number, ms, longestDurationMs, 'whole milliseconds', formatDuration)
}

/** Reads `64KiB`, `1MiB`, `10MB` or a plain number of bytes; the value is in whole bytes. */
export function parseSize(text: string): Measured {
  const parts = split(text)
  if (!parts) return failed('a number of bytes, or a size such as 64KiB, 1MiB or 10MB')
  const bytes = parts.unit === '' ? 1 : sizeUnits.find(([unit]) => unit === parts.unit)?.[1]
  if (bytes === undefined) return failed('one of the units B, KiB, MiB, GiB, KB, MB, GB after the number')
  return whole(parts.number, bytes, Number.MAX_SAFE_INTEGER, 'whole bytes', formatSize)
}

/** Reads `20%` or `12.5%` (at most four decimals); the value is from 0 to 1. */
export function parseShare(text: string): Measured {
  const match = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text)
  const percent = Number(match?.[1])
  if (!match) return failed('a share in percent, such as 20% or 12.5%')
  if (percent > 100) return failed('a share of at most 100%')
  return { ok: true, value: percent / 100 }
}

/** Writes milliseconds in the largest unit that divides them: 90000 is `90s`. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, durationUnits, 'ms')
}

/** Writes bytes in the largest unit that divides them, binary units first: 65536 is `64KiB`, 10000000 is `10MB`. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, sizeUnits, 'B')
}

/** Writes a share from 0 to 1 in percent with at most four decimals: 0.125 is `12.5%`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(4))}%`
}

function split(text: string): { number: string; unit: string } | null {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)([A-Za-z]*)$/.exec(text)
  return match ? { number: match[1] ?? '', unit: match[2] ?? '' } : null
}

function whole(number: string, factor: number, most: number, what: string, format: (value: number) => string): Measured {
  const value = roundedIfExact(Number(number) * factor)
  if (!Number.isInteger(value)) return failed(what)
  return value <= most ? { ok: true, value } : failed(`at most ${format(most)}`)
}

/** 1.1 * 1000 is 1100.0000000000002 in floating point, yet 1.1s is a whole number of milliseconds. */
function roundedIfExact(value: number): number {
  const nearest = Math.round(value)
  return Math.abs(value - nearest) < 1e-6 ? nearest : value
}

function inLargestUnit(value: number, units: [unit: string, factor: number][], smallest: string): string {
  if (value === 0) return `0${smallest}`
  const [unit, factor] = units.find(([, size]) => value % size === 0) ?? [smallest, 1]
  return `${value / factor}${unit}`
}

function failed(expected: string): Measured {
  return { ok: false, expected }
}

/** `1 change`, `2 changes`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
