/** The few numbers a comparison needs. */
import { median } from '../../src/cli/bench/report/numbers.ts'

export { median }

/** Half the distance between the smallest and the largest value, as a share of the median: a plain sign of noise. */
export function spread(values: number[]): number {
  return values.length === 0 ? Number.NaN : (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/** Three significant digits, whole numbers from 100 on, thousands apart. */
export function text(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

/** Rows of words as lines with aligned columns; the first column to the left, the others to the right. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}
