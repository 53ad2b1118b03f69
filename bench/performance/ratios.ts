/** weir's numbers as ratios to those of its rivals, with the interval in which the same run on the same machine would find them again. */
import type { Case, Sample } from '../lib/case.ts'
import { limitOf } from '../lib/limits.ts'
import { median } from '../lib/numbers.ts'
import type { CaseResult } from '../lib/record.ts'

export interface Ratio {
  case: string
  metric: string
  label: string
  better: 'lower' | 'higher'
  rival: string
  /** Median of the ratios of each round; below 1 weir has the smaller number. */
  value: number
  /** The interval of another run; NaN after a single round, which says nothing about another. */
  low: number
  high: number
  /** Level: 1 lies within the interval, so that nobody is ahead. */
  outcome: 'ahead' | 'level' | 'behind' | 'unknown'
  /** Why it is a rate of clients and servers and not of both proxies; null when it is theirs. */
  limited: string | null
}

/** Nothing here is known better than that. */
const leastSpread = 1.02

/**
 * How far, in half-ranges of the rounds, two medians must be allowed to lie apart (each by its own) so that 995 of 1,000 pairs of runs
 * with normal noise agree. From a simulation of 100,000 pairs for each number of rounds; few rounds often look calmer than they are.
 */
const factors: Record<number, number> = { 2: 10.8, 3: 2.7, 4: 1.5, 5: 1.13, 6: 0.93 }
const factorOfMany = 0.8

/** Every comparable metric of the case against every rival that has it. */
export function ratiosOf(one: Case, result: CaseResult, cores: number): Ratio[] {
  const rivals = Object.keys(result.samples).filter((peer) => !peer.startsWith('weir') && peer !== 'direct')
  return one.metrics.flatMap(({ key, label, better }) =>
    better === undefined ? [] : rivals.flatMap((rival) => ratioOf(one, result, cores, { key, label, better }, rival)),
  )
}

function ratioOf(
  one: Case,
  result: CaseResult,
  cores: number,
  { key, label, better }: { key: string; label: string; better: Ratio['better'] },
  rival: string,
): Ratio[] {
  const ratios = roundRatios(result.samples['weir'] ?? [], result.samples[rival] ?? [], key)
  if (ratios.length === 0) return []
  const { value, low, high } = intervalOf(ratios)
  const limits = key === one.rate ? ['weir', rival].flatMap((peer) => limitWith(one, result, peer, cores)) : []
  const limited = limits.length === 0 ? null : limits.join('; ')
  return [{ case: one.name, metric: key, label, better, rival, value, low, high, outcome: outcomeOf(better, low, high), limited }]
}

function limitWith(one: Case, result: CaseResult, peer: string, cores: number): string[] {
  const limit = limitOf(one, result, peer, cores)
  return limit === null ? [] : [`${peer}: ${limit}`]
}

/** Round by round: what disturbed one round disturbed both. Without sense where a number is not above 0. */
function roundRatios(own: Sample[], theirs: Sample[], key: string): number[] {
  return own
    .map((sample, round) => [sample[key] ?? Number.NaN, theirs[round]?.[key] ?? Number.NaN] as const)
    .filter(([mine, other]) => mine > 0 && other > 0)
    .map(([mine, other]) => mine / other)
}

/** The median of positive ratios, and the interval around it as it is said above. Multiplied and divided, so that it never ends below 0. */
export function intervalOf(ratios: number[]): { value: number; low: number; high: number } {
  const value = median(ratios)
  if (ratios.length < 2) return { value, low: Number.NaN, high: Number.NaN }
  const halfRange = Math.log(Math.max(...ratios) / Math.min(...ratios)) / 2
  const spread = Math.max(leastSpread, Math.exp(halfRange * (factors[ratios.length] ?? factorOfMany)))
  return { value, low: value / spread, high: value * spread }
}

function outcomeOf(better: Ratio['better'], low: number, high: number): Ratio['outcome'] {
  if (Number.isNaN(low)) return 'unknown'
  if (low <= 1 && high >= 1) return 'level'
  return high < 1 === (better === 'lower') ? 'ahead' : 'behind'
}

/** Whether two runs say the same: their intervals have something in common. Single rounds say nothing. */
export function agree(a: Ratio, b: Ratio): boolean {
  return a.low <= b.high && b.low <= a.high
}
