import { parseShare } from '../base/units.ts'
import { expected, type Parsed, parsed } from './parsed.ts'

/** A weight as a whole percentage: `50%` weighs 50, and counts against others of the same upstream that are percentages too. */
export function parseWeightShare(text: string): Parsed<number> {
  const share = parseShare(text)
  const percent = share.ok ? Math.round(share.value * 1e6) / 1e4 : Number.NaN
  return Number.isInteger(percent) ? parsed(percent) : expected('a whole percentage from 0% to 100%, or an integer from 0 to 256', text)
}

/** Whether a weight is written as a percentage. */
export function isWeightShare(value: unknown): boolean {
  return typeof value === 'string' && value.endsWith('%')
}
