/** When the rounds of two policies differ by more than their own noise, and who is the best by such a rule. Pure. */
import { median } from './numbers.ts'

/** Smaller differences of the medians are of no use to anybody, whatever the spread. */
export const LEAST_DIFFERENCE = 0.02

export interface Standing {
  name: string
  /** One value a round; less is better. */
  values: readonly number[]
}

/**
 * Whether `better` is below `worse` by more than chance explains. Three things are asked: the medians differ by two percent at least; the
 * worst round of one is better than the best round of the other; and between those two there is room of `2 / (rounds - 1)²` times the
 * larger of both ranges. The last one makes up for few rounds: of two equal policies with three rounds each one has all its rounds below the
 * other's in a tenth of all runs, with two rounds in a third. With the room it is 3 and 5 percent, and less from four rounds on or where
 * more than two are compared (tried with uniform, normal and log-normal values). One round tells nothing.
 */
export function isToldApart(better: readonly number[], worse: readonly number[]): boolean {
  const rounds = Math.min(better.length, worse.length)
  if (rounds < 2) return false
  const [own, other] = [extent(better), extent(worse)]
  const room = (2 / (rounds - 1) ** 2) * Math.max(own.high - own.low, other.high - other.low)
  return other.low - own.high > room && median(better) <= median(worse) * (1 - LEAST_DIFFERENCE)
}

/** The one with the lowest median and all that it cannot be told apart from, best first. */
export function leaders(standings: readonly Standing[]): Standing[] {
  const [first, ...others] = standings.toSorted((a, b) => median(a.values) - median(b.values))
  if (first === undefined) return []
  return [first, ...others.filter((other) => !isToldApart(first.values, other.values))]
}

/**
 * The same for counts of rare events such as errors. The range of three small counts means little, so they must also differ by three standard
 * deviations of such counts: the root of their sum, as in a Poisson process.
 */
export function leadersByCount(standings: readonly Standing[]): Standing[] {
  const total = ({ values }: Standing) => values.reduce((sum, value) => sum + value, 0)
  const [first, ...others] = standings.toSorted((a, b) => total(a) - total(b))
  if (first === undefined) return []
  const isSurplus = (other: Standing) => total(other) - total(first) > 3 * Math.sqrt(total(first) + total(other))
  return [first, ...others.filter((other) => !(isSurplus(other) && isToldApart(first.values, other.values)))]
}

function extent(values: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...values), high: Math.max(...values) }
}
