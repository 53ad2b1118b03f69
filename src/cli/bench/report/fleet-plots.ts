/** The pictures of a fleet: from rounds to series. Pure. */
import type { FleetResult, PolicyResult, Round, Slice } from '../result.ts'
import { histogramOf, latencyAt } from './histograms.ts'
import { forBoth } from './html.ts'
import { median, percent, tickText } from './numbers.ts'
import { type Axis, axisFor, axisWith } from './plot/axis.ts'
import { barRows, dotRows } from './plot/bar-rows.ts'
import type { Mark } from './plot/frame.ts'
import { legend } from './plot/legend.ts'
import { linePlot, type Point, type Series } from './plot/line-plot.ts'

/** Which line of all plots is a policy's: the same colour in every fleet. */
export type Inks = ReadonlyMap<string, number>

/** 1/(1-q) of the last quantile that is drawn: 99.99 %. */
const LAST_QUANTILE = 10_000
const STEPS_PER_DECADE = 12
/** With more servers, bars would be too thin to have a name. */
const MOST_BARS = 8

export function inksOf(fleets: readonly FleetResult[]): Inks {
  const names = new Set(fleets.flatMap(({ policies }) => policies.map(({ policy }) => policy)))
  return new Map([...names].map((name, index) => [name, index]))
}

/** Latency by share of requests; the axis gives the last percents as much room as the first ninety. */
export function quantilePlot(fleet: FleetResult, inks: Inks): string {
  const series = measured(fleet).map((policy) => quantileSeries(policy, inks))
  const values = series.flatMap(({ band = [] }) => band.flatMap(({ low, high }) => [low, high]))
  const y = axisFor(values, { title: 'latency, ms', kind: 'auto', ticks: 6, text: tickText })
  const ticks = [1, 2, 10, 100, 1_000, LAST_QUANTILE].map((at) => ({ at, text: `${Number((100 - 100 / at).toPrecision(4))}%` }))
  const x = axisWith('log', { low: 1, high: LAST_QUANTILE }, ticks, 'share of requests that took no longer')
  const description = `Latency by percentile on the fleet ${fleet.name}, one line for each policy`
  return forBoth((width, isNarrow) => {
    const labels = isNarrow ? 'none' : 'ends'
    const plot = linePlot({ width, height: isNarrow ? 280 : 380, x, y, series, labels, description })
    return isNarrow ? plot + legend(series) : plot
  })
}

function quantileSeries({ policy, rounds }: PolicyResult, inks: Inks): Series {
  const histograms = rounds.map(histogramOf)
  // Beyond one in so many requests a round has only its maximum.
  const end = Math.min(LAST_QUANTILE, Math.max(10, ...histograms.map(({ totalCount }) => totalCount)))
  const steps = Math.floor(Math.log10(end) * STEPS_PER_DECADE + 1e-9)
  const columns = Array.from({ length: steps + 1 }, (_, step) => {
    const x = 10 ** (step / STEPS_PER_DECADE)
    return { x, values: histograms.map((histogram) => latencyAt(histogram, 1 - 1 / x)) }
  })
  return {
    name: policy,
    ink: inks.get(policy) ?? 0,
    points: columns.map(({ x, values }): Point => [x, median(values)]),
    band: columns.map(({ x, values }) => ({ x, low: Math.min(...values), high: Math.max(...values) })),
  }
}

/** p99 of every slice, a small plot for each policy, all with the same axes. */
export function timePlots(fleet: FleetResult, inks: Inks): string {
  const policies = measured(fleet)
  const slices = policies.flatMap(({ rounds }) => rounds.flatMap((round) => round.slices))
  const end = Math.max(1, ...policies.flatMap(({ rounds }) => rounds.map(({ seconds }) => seconds)))
  const values = slices.flatMap(({ p99 }) => (p99 === null ? [] : [p99]))
  const y = axisFor(values, { title: '', kind: 'auto', ticks: 4, text: tickText })
  const seconds = axisFor([0, end], { title: '', kind: 'linear', ticks: 6, text: (value) => `${value} s` })
  const x: Axis = { ...seconds, domain: { low: 0, high: end }, ticks: seconds.ticks.filter(({ at }) => at <= end) }
  const marks = (fleet.events ?? []).map(
    ({ at, seconds, text }): Mark => ({ at, text, ...(seconds === undefined ? {} : { until: at + seconds }) }),
  )
  const plots = policies.map((policy) => {
    const description = `p99 over time of ${policy.policy} on the fleet ${fleet.name}`
    const plot = {
      width: 320,
      height: 170,
      x,
      y,
      marks,
      faults: faultsOf(policy),
      labels: 'none' as const,
      heading: policy.policy,
      description,
    }
    return linePlot({ ...plot, series: [timeSeries(policy, inks)] })
  })
  return `<div class="small-ones">${plots.map((plot) => `<div>${plot}</div>`).join('')}</div>`
}

function timeSeries({ policy, rounds }: PolicyResult, inks: Inks): Series {
  const bySlice = slicesByTime(rounds)
  const points = bySlice.map(({ middle, slices }): Point | null => {
    const known = slices.flatMap(({ p99 }) => (p99 === null ? [] : [p99]))
    return known.length === 0 ? null : [middle, median(known)]
  })
  const half = halfOf(rounds)
  const thin =
    rounds.length < 2 ? [] : rounds.map(({ slices }) => slices.map(({ at, p99 }): Point | null => (p99 === null ? null : [at + half, p99])))
  return { name: policy, ink: inks.get(policy) ?? 0, points, thin }
}

function faultsOf({ rounds }: PolicyResult): Mark[] {
  const length = halfOf(rounds) * 2
  return slicesByTime(rounds).flatMap(({ middle, slices }) => {
    const errors = slices.reduce((sum, slice) => sum + slice.errors, 0)
    const at = middle - length / 2
    return errors === 0 ? [] : [{ at, until: at + length, text: `${errors} errors in ${slices.length} rounds` }]
  })
}

/** Slices of all rounds that begin at the same time. */
function slicesByTime(rounds: readonly Round[]): { middle: number; slices: Slice[] }[] {
  const half = halfOf(rounds)
  const groups = new Map<number, Slice[]>()
  for (const slice of rounds.flatMap(({ slices }) => slices)) {
    const key = Math.round(slice.at * 100)
    groups.set(key, [...(groups.get(key) ?? []), slice])
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([key, slices]) => ({ middle: key / 100 + half, slices }))
}

/** Half of the length of a slice: all have the same. */
function halfOf(rounds: readonly Round[]): number {
  const round = rounds.find(({ slices }) => slices.length > 1)
  const [first, second] = round?.slices ?? []
  return first && second ? (second.at - first.at) / 2 : (rounds[0]?.seconds ?? 1) / 2
}

/** What each server got, beside what its weight entitles it to. */
export function serverPlot(fleet: FleetResult, inks: Inks): string {
  const weights = fleet.servers.reduce((sum, { weight }) => sum + weight, 0) || 1
  const rows = measured(fleet).map((policy) => ({
    name: policy.policy,
    ink: inks.get(policy.policy) ?? 0,
    bars: fleet.servers.map(({ name, weight }) => {
      const value = shareOf(policy, name)
      return { value, ought: weight / weights, text: percent(value), name }
    }),
  }))
  const description = `Share of the requests of every server on the fleet ${fleet.name}, a row for each policy`
  if (hasBars(fleet)) {
    return forBoth((width) => barRows({ width, columns: fleet.servers.map(({ name }) => name), rows, description }))
  }
  const dots = rows.map(({ name, ink, bars }) => ({ name, ink, dots: bars.map(factorDot) }))
  const values = dots.flatMap((row) => row.dots.map(({ value }) => value))
  const x = axisFor(values, { title: 'requests of a server; 1 is its share by weight', kind: 'linear', text: tickText })
  return forBoth((width) => dotRows({ width, x, rows: dots, description }))
}

/** Whether servers are few enough for a bar each; more become dots. */
export function hasBars({ servers }: FleetResult): boolean {
  return servers.length <= MOST_BARS
}

function factorDot({ name, value, ought, text }: { name: string; value: number; ought: number; text: string }): {
  value: number
  text: string
} {
  return { value: ought > 0 ? value / ought : 0, text: `${name}: ${text}` }
}

/** Median over the rounds. */
function shareOf({ rounds }: PolicyResult, server: string): number {
  return median(
    rounds.map(({ requests }) => {
      const all = Object.values(requests).reduce((sum, count) => sum + count, 0)
      return (requests[server] ?? 0) / Math.max(1, all)
    }),
  )
}

function measured({ policies }: FleetResult): PolicyResult[] {
  return policies.filter(({ rounds }) => rounds.length > 0)
}
