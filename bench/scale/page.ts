/** A result as one HTML page that needs nothing else. Pure. */
import { factList, forBoth, htmlPage, htmlTable } from '../../src/cli/bench/report/html.ts'
import { brief, median, percent, spread, tickText } from '../../src/cli/bench/report/numbers.ts'
import { type Axis, axisFor, axisWith } from '../../src/cli/bench/report/plot/axis.ts'
import { legend, swatch } from '../../src/cli/bench/report/plot/legend.ts'
import { linePlot, type Point, type Series } from '../../src/cli/bench/report/plot/line-plot.ts'
import { escaped } from '../../src/cli/bench/report/plot/svg.ts'
import { type Dimension, valueText } from './dimensions.ts'
import { type Column, columnsOf, isLimited, type Measure } from './figures.ts'
import type { ScaleRecord } from './record.ts'

const measures: Record<Measure, string> = { cpuUs: 'CPU µs per request', cpuMsPerGb: 'CPU ms per 10⁹ bytes of body' }

export function scalePage({ time, machine, seconds, result, peers }: ScaleRecord, dimensions: readonly Dimension[]): string {
  const facts: (readonly [string, string])[] = [
    ['Processor', `${machine.cpu}, ${machine.cores} cores${machine.virtual ? ', virtual' : ''}`],
    ['Kernel, open files', `${machine.kernel}, ${machine.openFiles.toLocaleString('en-US')}`],
    ['Versions', `weir ${machine.commit}, Node.js ${machine.node}, nginx ${machine.nginx}, HAProxy ${machine.haproxy}`],
    ['Measured', `${result.rounds} ${result.rounds === 1 ? 'round' : 'rounds'}, ${seconds} s a point`],
  ]
  const sections = dimensions.map((dimension) => section(dimension, { time, machine, seconds, result, peers }))
  const missing = result.missing.map((sentence) => `<p class="warning">Not measured: ${escaped(sentence)}.</p>`)
  const head = `<h1>What a request costs as things grow</h1>\n<p class="quiet">make bench-scale, ${escaped(time)}</p>`
  return htmlPage('weir bench-scale', [head, factList(facts), ...missing, ...sections].filter((part) => part !== '').join('\n'))
}

function section(dimension: Dimension, record: ScaleRecord): string {
  const parts = (dimension.hasBytes ? (['cpuUs', 'cpuMsPerGb'] as const) : (['cpuUs'] as const)).map((measure) => {
    const columns = columnsOf(record.result, dimension.name, measure)
    if (columns.length === 0) return ''
    return `<h3>${escaped(measures[measure])}</h3>\n${picture(dimension, measure, columns, record.peers)}\n${numbers(dimension, columns, record.peers)}`
  })
  if (parts.every((part) => part === '')) return ''
  return `<section>\n<h2>${escaped(dimension.name)}</h2>\n<p>${escaped(dimension.question)}</p>\n${parts.join('\n')}\n</section>`
}

function picture(dimension: Dimension, measure: Measure, columns: readonly Column[], peers: readonly string[]): string {
  const series = columns.map((column) => seriesOf(column, dimension, peers))
  const values = columns.flatMap(({ points }) => points.flatMap((point) => point.values))
  const y = axisFor(values, { title: '', kind: 'auto', ticks: 6, text: tickText })
  const x = axisOf(dimension)
  const description = `${measures[measure]} by ${dimension.name === 'body' ? 'size of body' : dimension.unit}, one line for each proxy`
  return forBoth((width, isNarrow) => {
    const plot = linePlot({ width, height: isNarrow ? 260 : 320, x, y, series, labels: isNarrow ? 'none' : 'ends', description })
    return isNarrow ? plot + legend(series) : plot
  })
}

/** Log, as the steps are; a body of nothing stands where one of 64 bytes would. */
function axisOf(dimension: Dimension): Axis {
  const values = dimension.values.map(placeOf)
  const ticks = dimension.values.map((value) => ({ at: placeOf(value), text: valueText(dimension.name, value) }))
  const [low, high] = [Math.min(...values) / 1.3, Math.max(...values) * 1.3]
  return axisWith('log', { low, high }, ticks, dimension.name === 'body' ? 'size of body' : dimension.unit)
}

function placeOf(value: number): number {
  return value === 0 ? 64 : value
}

function seriesOf({ peer, points }: Column, dimension: Dimension, peers: readonly string[]): Series {
  const middle = points.map(({ value, values }): Point => [placeOf(value), median(values)])
  return {
    name: peer,
    ink: Math.max(0, peers.indexOf(peer)),
    points: middle,
    band: points.map(({ value, values }) => ({ x: placeOf(value), low: Math.min(...values), high: Math.max(...values) })),
    dots: points.map((point, index) => ({
      at: middle[index] ?? [1, 0],
      isHollow: isLimited(point),
      text: `${peer}, ${valueText(dimension.name, point.value)}: ${brief(median(point.values))}${isLimited(point) ? `; ${point.limits[0]}` : ''}`,
    })),
  }
}

function numbers(dimension: Dimension, columns: readonly Column[], peers: readonly string[]): string {
  const values = dimension.values.filter((value) => columns.some(({ points }) => points.some((point) => point.value === value)))
  const titles = [{ html: '' }, ...values.map((value) => ({ html: escaped(valueText(dimension.name, value)) }))]
  const rows = columns.map((column) => ({
    head: `${swatch(Math.max(0, peers.indexOf(column.peer)))} ${escaped(column.peer)}`,
    cells: values.map((value) => ({ html: cell(column, value) })),
  }))
  const hasLimits = columns.some(({ points }) => points.some(isLimited))
  const note = '<p class="quiet">* and hollow dots: the load was the limit there, so the rate of requests says nothing about the proxy.</p>'
  return htmlTable(titles, rows) + (hasLimits ? `\n${note}` : '')
}

function cell({ points }: Column, value: number): string {
  const point = points.find((one) => one.value === value)
  if (point === undefined) return '-'
  const share = spread(point.values)
  const noise = share === null ? '' : ` <small>±${escaped(percent(share))}</small>`
  return `${escaped(brief(median(point.values)))}${isLimited(point) ? '*' : ''}${noise}`
}
