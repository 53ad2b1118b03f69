/** An axis: its domain, its ticks and their words. Pure. */
import { type Domain, linearScale, linearTicks, logScale, logTicks, type Scale, widened } from './scale.ts'

export interface Tick {
  at: number
  text: string
}

export interface Axis {
  kind: 'linear' | 'log'
  domain: Domain
  ticks: readonly Tick[]
  /** With the unit. */
  title: string
}

export interface AxisWish {
  title: string
  /** `auto` takes a logarithm where the values span more than `SPAN_OF_LOG`. */
  kind: 'linear' | 'log' | 'auto'
  /** About so many; 5 by default. */
  ticks?: number
  text(value: number): string
}

/** From the smallest to the largest value: beyond that small ones would be a flat line at the bottom of a linear axis. */
export const SPAN_OF_LOG = 25

/** An axis on which all these values have room. A linear one begins at 0 where no value is below. Values that are no numbers are left out. */
export function axisFor(values: readonly number[], { title, kind, ticks = 5, text }: AxisWish): Axis {
  const known = values.filter(Number.isFinite)
  const positive = known.filter((value) => value > 0)
  const [low, high] = [smallest(positive), largest(known)]
  const isLog = positive.length > 0 && (kind === 'log' || (kind === 'auto' && high / low > SPAN_OF_LOG))
  const domain = isLog ? aroundLog({ low, high }) : widened({ low: Math.min(0, smallest(known)), high }, ticks)
  const at = isLog ? logTicks(domain, ticks) : linearTicks(domain, ticks)
  return { kind: isLog ? 'log' : 'linear', domain, title, ticks: at.map((value) => ({ at: value, text: text(value) })) }
}

/** An axis whose ticks are known, as those of quantiles or of the values that were measured. A log one needs `domain` above 0. */
export function axisWith(kind: Axis['kind'], domain: Domain, ticks: readonly Tick[], title: string): Axis {
  return { kind, domain, ticks, title }
}

export function scaleOf({ kind, domain }: Axis, pixels: readonly [number, number]): Scale {
  return kind === 'log' ? logScale(domain, pixels) : linearScale(domain, pixels)
}

/** A little room on both sides, as a line on the frame is hard to see. */
function aroundLog({ low, high }: Domain): Domain {
  return { low: low / 1.15, high: Math.max(high, low) * 1.15 }
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), values[0] ?? 0)
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), values[0] ?? 0)
}
