/** From samples to what is shown of them. Pure. */
import type { DimensionName } from './dimensions.ts'
import type { ScaleResult, Series } from './run.ts'

export type Measure = 'cpuUs' | 'cpuMsPerGb'

export interface Column {
  peer: string
  points: readonly { value: number; values: number[]; limits: string[] }[]
}

/** A column for each peer that has such numbers in this dimension. */
export function columnsOf({ series }: ScaleResult, dimension: DimensionName, measure: Measure): Column[] {
  return series
    .filter((one) => one.dimension === dimension)
    .map((one) => columnOf(one, measure))
    .filter(({ points }) => points.some(({ values }) => values.length > 0))
}

function columnOf({ peer, points }: Series, measure: Measure): Column {
  return {
    peer,
    points: points
      .map(({ value, samples }) => ({
        value,
        values: samples.flatMap((sample) => sample[measure] ?? []),
        limits: samples.flatMap(({ limit }) => limit ?? []),
      }))
      .filter(({ values }) => values.length > 0)
      .toSorted((a, b) => a.value - b.value),
  }
}

/** Whether the load was the limit in most of the rounds. */
export function isLimited({ values, limits }: Column['points'][number]): boolean {
  return limits.length * 2 > values.length
}
