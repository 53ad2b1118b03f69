/** Values of an expression, as its fields take them. */
import { parseDuration, parseSize } from '../base/units.ts'
import type { FieldKind } from './where-fields.ts'
import { type Operator, WhereError } from './where-tokens.ts'

/** `low` and `high` are inclusive: a number alone is both. */
export type WhereValue =
  | { kind: 'range'; low: number; high: number }
  | { kind: 'text'; text: string }
  | { kind: 'flag'; flag: boolean }
  | { kind: 'regex'; regex: RegExp }

const longestRegex = 200

/** Reads what stands behind an operator. Throws WhereError. */
export function whereValue(text: string, { kind, operator, at }: { kind: FieldKind; operator: Operator; at: number }): WhereValue {
  if (operator === '~') return regexOf(text, at)
  switch (kind) {
    case 'text':
      if (operator !== '=' && operator !== '!=') throw new WhereError(at, `a text is compared by =, != or ~, not by ${operator}`)
      return { kind: 'text', text }
    case 'flag':
      if (text !== 'true' && text !== 'false') throw new WhereError(at, 'expected true or false')
      return { kind: 'flag', flag: text === 'true' }
    case 'duration':
      return exactly(durationUs(text, at))
    case 'size':
      return exactly(measured(parseSize(text), at))
    default:
      return numberRange(text, at)
  }
}

function regexOf(text: string, at: number): WhereValue {
  if (text.length > longestRegex) throw new WhereError(at, `a regular expression has at most ${longestRegex} characters`)
  try {
    return { kind: 'regex', regex: new RegExp(text) }
  } catch (error) {
    throw new WhereError(at, `no regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}`)
  }
}

/** A number, or a class of statuses such as `5xx`. */
function numberRange(text: string, at: number): WhereValue {
  const hundreds = /^([1-5])xx$/i.exec(text)?.[1]
  if (hundreds !== undefined) return { kind: 'range', low: Number(hundreds) * 100, high: Number(hundreds) * 100 + 99 }
  if (!/^\d{1,15}$/.test(text)) throw new WhereError(at, `expected a whole number, or a class such as 5xx, found "${text}"`)
  return exactly(Number(text))
}

/** `250us`, `1.5ms`, or as everywhere else. */
function durationUs(text: string, at: number): number {
  const micro = /^(\d{1,12})(us|µs)$/.exec(text)?.[1]
  if (micro !== undefined) return Number(micro)
  const milli = /^(\d{1,9}(?:\.\d{1,3})?)ms$/.exec(text)?.[1]
  return milli === undefined ? measured(parseDuration(text), at) * 1_000 : Math.round(Number(milli) * 1_000)
}

function measured(result: { ok: true; value: number } | { ok: false; expected: string }, at: number): number {
  if (result.ok) return result.value
  throw new WhereError(at, `expected ${result.expected}`)
}

function exactly(value: number): WhereValue {
  return { kind: 'range', low: value, high: value }
}
