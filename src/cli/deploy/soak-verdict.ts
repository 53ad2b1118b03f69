/** Whether a server does worse than the others: what is counted of each, and what is too much. Pure. */
import type { ServerFigures } from '../../shared/control/data.ts'

/** What one or more servers came to over some time. */
export interface Performance {
  /** Ended. */
  exchanges: number
  failures: number
  /** Upper bound of the bucket in µs → count. */
  firstBytes: ReadonlyMap<number, number>
}

export interface Tolerance {
  /** Share of failures that is accepted. */
  maxFailures: number
  /** How many times slower the p99 may be. */
  maxSlowdown: number
}

/** Fewer say nothing about failures. */
export const leastForFailures = 20
/** Fewer, on either side, say nothing about a p99. */
export const leastForLatency = 50
/** Servers that fail themselves are a measure only up to here above them. */
const failuresAboveOthers = 0.02
/** A p99 that is no more than this above the others is never too slow, however fast those are. */
const slowdownMs = 50

/** Between two readings. Counters that went back (another weir answers since) begin anew. */
export function performanceBetween(
  before: readonly ServerFigures[],
  after: readonly ServerFigures[],
  ids: ReadonlySet<string>,
): Performance {
  const earlier = new Map(before.map((figures) => [figures.id, figures]))
  return combined(after.filter(({ id }) => ids.has(id)).map((later) => difference(earlier.get(later.id), later)))
}

/** Up to a reading, since weir has counted. */
export function performanceUntil(reading: readonly ServerFigures[], ids: ReadonlySet<string>): Performance {
  return performanceBetween([], reading, ids)
}

/** Why the server does worse than it may; null when it does not, or when too little is known. */
export function whyWorse(server: Performance, others: Performance, { maxFailures, maxSlowdown }: Tolerance): string | null {
  return failingText(server, others, maxFailures) ?? slownessText(server, others, maxSlowdown)
}

/** Failing so clearly that no further requests are needed to tell; null otherwise. */
export function whyHopeless(server: Performance): string | null {
  const isHopeless = server.exchanges >= leastForFailures && server.failures > server.exchanges / 2
  return isHopeless ? `${server.failures} of ${server.exchanges} requests failed` : null
}

/** Upper bound in milliseconds of the time to the first byte that 99 of 100 responses kept; null without responses. */
export function p99Ms({ firstBytes }: Performance): number | null {
  const buckets = [...firstBytes].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
  let missing = responses(firstBytes) * 0.99
  for (const [bound, count] of buckets) {
    missing -= count
    if (missing <= 1e-9) return bound / 1000
  }
  return null
}

function failingText({ exchanges, failures }: Performance, others: Performance, maxFailures: number): string | null {
  const known = others.exchanges >= leastForFailures ? others.failures / others.exchanges : 0
  const allowed = known > maxFailures ? known + failuresAboveOthers : maxFailures
  if (exchanges < leastForFailures || failures <= allowed * exchanges) return null
  return `${failures} of ${exchanges} requests failed (${percent(failures / exchanges)}), allowed are ${percent(allowed)}`
}

function slownessText(server: Performance, others: Performance, maxSlowdown: number): string | null {
  if (Math.min(responses(server.firstBytes), responses(others.firstBytes)) < leastForLatency) return null
  const [own, theirs] = [p99Ms(server) ?? 0, p99Ms(others) ?? 0]
  if (own <= theirs * maxSlowdown || own <= theirs + slowdownMs) return null
  return `p99 to the first byte is ${own.toFixed(1)} ms, of the others ${theirs.toFixed(1)} ms; allowed is ${maxSlowdown} times that`
}

function difference(before: ServerFigures | undefined, after: ServerFigures): Performance {
  const start = before !== undefined && ended(before) <= ended(after) ? before : undefined
  const counts = Object.entries(after.firstByteCounts).map(
    ([bound, count]) => [Number(bound), Math.max(0, count - (start?.firstByteCounts[bound] ?? 0))] as const,
  )
  return {
    exchanges: ended(after) - (start === undefined ? 0 : ended(start)),
    failures: Math.max(0, after.failures - (start?.failures ?? 0)),
    firstBytes: new Map(counts),
  }
}

function ended({ successes, failures }: ServerFigures): number {
  return successes + failures
}

function combined(parts: Performance[]): Performance {
  const firstBytes = new Map<number, number>()
  for (const part of parts) for (const [bound, count] of part.firstBytes) firstBytes.set(bound, (firstBytes.get(bound) ?? 0) + count)
  return {
    exchanges: parts.reduce((total, { exchanges }) => total + exchanges, 0),
    failures: parts.reduce((total, { failures }) => total + failures, 0),
    firstBytes,
  }
}

function responses(firstBytes: ReadonlyMap<number, number>): number {
  return [...firstBytes.values()].reduce((total, count) => total + count, 0)
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}
