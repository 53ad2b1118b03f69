import { parseDuration } from '../shared/base/units.ts'

/** The command line makes no sense: exit code 2. */
export class UsageError extends Error {}

/** For yargs: reads `30s`; the value is in milliseconds. An option without a value has the one given for it. */
export function durationOption(name: string, bare?: string): (text: string | undefined) => number | undefined {
  return (text) => {
    if (text === undefined) return undefined
    const result = parseDuration(text === '' && bare !== undefined ? bare : text)
    if (result.ok) return result.value
    throw new UsageError(`--${name}: expected ${result.expected}, found "${text}"`)
  }
}

/** For yargs: a name such as `api/a`. */
export function serverArgument(text: string): string {
  if (/^[^/]+\/./.test(text)) return text
  throw new UsageError(`expected a server as upstream/server, such as api/a, found "${text}"`)
}

/** For yargs: reads a whole number within bounds, both included. */
export function wholeNumber(name: string, { from, to }: { from: number; to: number }): (text: string | undefined) => number | undefined {
  return (text) => {
    if (text === undefined) return undefined
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= from && value <= to) return value
    const bounds = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`
    throw new UsageError(`--${name}: expected a whole number ${bounds}, found "${text}"`)
  }
}
