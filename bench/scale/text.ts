/** A result on the terminal. Pure. */
import { brief, median, withSpread } from '../../src/cli/bench/report/numbers.ts'
import { table } from '../lib/numbers.ts'
import { type Dimension, valueText } from './dimensions.ts'
import { type Column, columnsOf, isLimited, type Measure } from './figures.ts'
import type { ScaleResult } from './run.ts'

const measures: Record<Measure, string> = { cpuUs: 'CPU us per request', cpuMsPerGb: 'CPU ms per 10^9 bytes of body' }

/** A table for each dimension that was measured, then what is missing. */
export function scaleText(result: ScaleResult, dimensions: readonly Dimension[]): string {
  const parts = dimensions.flatMap((dimension) => [
    dimensionText(result, dimension, 'cpuUs'),
    ...(dimension.hasBytes ? [dimensionText(result, dimension, 'cpuMsPerGb')] : []),
  ])
  const lines = result.missing.map((sentence) => `not measured: ${sentence}`)
  if (result.stolen > 0.01) lines.push(`noisy: the hypervisor took ${(result.stolen * 100).toFixed(1)} % of the CPU time`)
  return [...parts.filter((part) => part !== ''), ...lines].join('\n')
}

function dimensionText(result: ScaleResult, dimension: Dimension, measure: Measure): string {
  const columns = columnsOf(result, dimension.name, measure)
  if (columns.length === 0) return ''
  const values = dimension.values.filter((value) => columns.some(({ points }) => points.some((point) => point.value === value)))
  const head = ['', ...values.map((value) => valueText(dimension.name, value)), 'growth']
  const rows = columns.map((column) => [column.peer, ...values.map((value) => cell(column, value)), growth(column)])
  const isMarked = columns.some(({ points }) => points.some(isLimited))
  const lines = [
    `\n${dimension.name}: ${dimension.question}`,
    `${measures[measure]}, by ${dimension.name === 'body' ? 'size of body' : dimension.unit}`,
    table([head, ...rows]),
  ]
  if (isMarked) lines.push(`* ${limitsOf(columns).join('; ')}`)
  return lines.join('\n')
}

function cell({ points }: Column, value: number): string {
  const point = points.find((one) => one.value === value)
  if (point === undefined) return '-'
  return `${withSpread(point.values)}${isLimited(point) ? '*' : ''}`
}

/** Of the last point against the first; one at which the load was the limit is no good beginning. */
function growth({ points }: Column): string {
  const [first, last] = [points.find((point) => !isLimited(point)) ?? points[0], points.at(-1)]
  if (first === undefined || last === undefined || first === last) return '-'
  return `x${brief(median(last.values) / median(first.values))}`
}

function limitsOf(columns: readonly Column[]): string[] {
  const all = columns.flatMap(({ peer, points }) => points.filter(isLimited).map(({ limits }) => `${peer}: ${limits[0]}`))
  return [...new Set(all)]
}
