/**
 * When is a load number worse, and when is it noise? Both builds are measured in pairs, one right after the other, and each pair gives a
 * ratio. A slow minute of the machine hits both halves of a pair; one that hits only one half makes that pair wrong, not the median.
 *
 * The rule: the true ratio lies above the k-th smallest of n ratios but for a chance of `chance` (the sign test, Dixon and Mood 1946; it
 * asks nothing of how the noise is distributed). Only when even that cautious reading is beyond the bound is a build slower. When the
 * median is within the bound it is not. In between more pairs are measured, up to the most that time allows; what is undecided then
 * passes, and the report says so. Pure.
 */
import { median, spread } from '../lib/numbers.ts'

/** Pairs at first, added at a time, and at most. */
export const pairs = { first: 8, step: 4, most: 20 }

/** That a number which is just at its bound is called worse, at one look. Machines are not that even: see the test of this file. */
const chance = 0.025

export type Standing = 'ok' | 'worse' | 'undecided'

export interface Judged {
  standing: Standing
  /** Median of the ratios; above 1 is worse than the base. */
  ratio: number
  /** The ratio is at least that, but for a small chance. -Infinity while there are too few pairs to say. */
  atLeast: number
  /** Half the range of the ratios over their median. */
  spread: number
}

/** `ratios` one per pair, above 1 where this build is worse. `bound` is the highest ratio that is allowed. Throws for what is no number. */
export function judge(ratios: number[], bound: number): Judged {
  if (ratios.some(Number.isNaN)) throw new Error('a pair without a number cannot be judged: a load did not measure anything')
  const ratio = median(ratios)
  const atLeast = ratios.toSorted((a, b) => a - b)[safeRank(ratios.length) - 1] ?? Number.NEGATIVE_INFINITY
  const standing = atLeast > bound ? 'worse' : ratio > bound ? 'undecided' : 'ok'
  return { standing, ratio, atLeast, spread: spread(ratios) }
}

/** The highest k for which fewer than k of n fair coins show heads with at most the probability `chance`; 0 when there is none. */
export function safeRank(n: number): number {
  let [rank, sum, term] = [0, 0, 0.5 ** n]
  for (let k = 0; k < n; k++) {
    sum += term
    if (sum > chance) break
    rank = k + 1
    term = (term * (n - k)) / (k + 1)
  }
  return rank
}

/** Whether further pairs could change the verdict, and are allowed. */
export function wantsMore(all: Judged[], measured: number): boolean {
  return measured < pairs.most && all.some((one) => one.standing === 'undecided') && !all.some((one) => one.standing === 'worse')
}
