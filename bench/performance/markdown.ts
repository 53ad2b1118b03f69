/** The few forms of Markdown that the pages need. */
import { median, spread, text } from '../lib/numbers.ts'
import type { Ratio } from './ratios.ts'

/** Rows of cells, the first one the head; the first column to the left, the others to the right. */
export function markdownTable(rows: string[][]): string {
  const [head = [], ...body] = rows
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(head),
    `|---|${head
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
    ...body.map(line),
  ].join('\n')
}

/** A median with half the range of the rounds. */
export function medianCell(values: number[]): string {
  if (values.length === 0) return '–'
  const share = spread(values)
  return values.length > 1 && share >= 0 ? `${text(median(values))} ±${percent(share)}` : text(median(values))
}

/** A ratio with its interval; `*` where it is limited. */
export function ratioCell(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '–'
  const interval = Number.isNaN(ratio.low) ? '(one round)' : `(${number(ratio.low)}–${number(ratio.high)})`
  return `${number(ratio.value)}${ratio.limited === null ? '' : '\\*'} ${interval}`
}

/** Two decimals, or three significant digits where these are more. */
export function number(value: number): string {
  return value >= 0.1 && value < 10 ? value.toFixed(2) : value < 0.1 ? value.toPrecision(2) : value.toPrecision(3)
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
