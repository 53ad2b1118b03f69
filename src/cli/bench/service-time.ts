/** How long a mock server works on a request: distributions, in milliseconds. Pure. */
import { span } from '../words.ts'
import type { Random } from './seeded-random.ts'

export type ServiceTime =
  | { kind: 'constant'; ms: number }
  | { kind: 'exponential'; meanMs: number }
  /** `sigma` is the standard deviation of its logarithm: 1.5 is a long tail. Nothing takes longer than `mostMs`. */
  | { kind: 'log-normal'; meanMs: number; sigma: number; mostMs: number }
  /** What was measured: how many took at most so long, ascending. */
  | { kind: 'measured'; points: readonly MeasuredPoint[] }

export interface MeasuredPoint {
  atMostMs: number
  count: number
}

/** Draws from a distribution. The same random numbers give the same times. */
export function sampler(time: ServiceTime, random: Random): () => number {
  switch (time.kind) {
    case 'constant':
      return () => time.ms
    case 'exponential':
      return () => -time.meanMs * Math.log(1 - random())
    case 'log-normal':
      return () => Math.min(time.mostMs, Math.exp(logMean(time) + time.sigma * normal(random)))
    case 'measured':
      return measuredSampler(time.points, random)
  }
}

/** The mean in milliseconds; of a log-normal one as if nothing were cut off. */
export function meanMs(time: ServiceTime): number {
  if (time.kind === 'constant') return time.ms
  if (time.kind !== 'measured') return time.meanMs
  const total = time.points.reduce((sum, { count }) => sum + count, 0)
  const sum = time.points.reduce((sum, { atMostMs, count }, i) => sum + (count * (atMostMs + lowerEnd(time.points, i))) / 2, 0)
  return total === 0 ? 0 : sum / total
}

/** For people: `20 ms (exponential)`. */
export function describeTime(time: ServiceTime): string {
  const mean = span(meanMs(time))
  switch (time.kind) {
    case 'constant':
      return mean
    case 'exponential':
      return `${mean} on average (exponential)`
    case 'log-normal':
      return `${mean} on average (log-normal, sigma ${time.sigma})`
    case 'measured':
      return `${mean} on average (as measured: p50 ${span(quantile(time.points, 0.5))}, p99 ${span(quantile(time.points, 0.99))})`
  }
}

/** The mean of the logarithm for which the mean is the wanted one. */
function logMean({ meanMs: mean, sigma }: { meanMs: number; sigma: number }): number {
  return Math.log(mean) - sigma ** 2 / 2
}

/** Box and Muller: two uniform numbers make a normal one. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Between the bounds of a bucket everything is as likely. */
function measuredSampler(points: readonly MeasuredPoint[], random: Random): () => number {
  return () => quantile(points, random())
}

/** The time that this share (0 to 1) took at most. */
function quantile(points: readonly MeasuredPoint[], share: number): number {
  const total = points.reduce((sum, { count }) => sum + count, 0)
  let left = share * total
  for (const [i, { atMostMs, count }] of points.entries()) {
    if (left <= count && count > 0) return lowerEnd(points, i) + (atMostMs - lowerEnd(points, i)) * (left / count)
    left -= count
  }
  return points.at(-1)?.atMostMs ?? 0
}

/**
 * Where a bucket begins: where the one before it ends, but not lower than 1/64 below its own end, as buckets of the balancer's
 * histograms are narrower than that and those without a count are not among the points.
 */
function lowerEnd(points: readonly MeasuredPoint[], i: number): number {
  const end = points[i]?.atMostMs ?? 0
  return Math.max(points[i - 1]?.atMostMs ?? 0, end - end / 64)
}
