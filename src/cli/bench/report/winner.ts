/** Who was the best on a fleet, if anybody. Pure. */
import type { FleetResult, PolicyResult, Round, Winner } from '../result.ts'
import { brief, count, median, percent, spread } from './numbers.ts'
import { leaders, leadersByCount, type Standing } from './told-apart.ts'

/**
 * Errors decide first: who has more of them than others is out. Among the rest p99 decides, and where that tells nobody apart on a fleet
 * with caches, the share of cache hits. Somebody wins alone only who is told apart from everybody else, see `isToldApart`; else
 * `policies` are those that cannot be told apart from the best. With one round it is empty: one round has no spread. Null where fewer
 * than two policies were measured.
 */
export function winnerOf(fleet: FleetResult): Winner | null {
  const policies = fleet.policies.filter(({ rounds }) => rounds.length > 0)
  if (policies.length < 2) return null
  if (policies.some(({ rounds }) => rounds.length < 2)) return unknown(policies)
  const careful = namesOf(leadersByCount(policies.map((policy) => standing(policy, errorsOf))))
  const rest = policies.filter(({ policy }) => careful.includes(policy))
  if (rest.length === 1) return { metric: 'errors', policies: careful, text: fewestErrors(rest, policies) }
  const first = rest.length < policies.length ? `${fewestErrors(rest, policies)} Of those: ` : ''
  const winner = hasCaches(policies) ? byLatencyAndHits(rest) : byLatency(rest)
  return { ...winner, text: first + winner.text }
}

function byLatency(policies: readonly PolicyResult[]): Winner {
  const best = leaders(policies.map((policy) => standing(policy, p99Of)))
  return { metric: 'p99', policies: namesOf(best), text: latencyText(best, policies) }
}

/** Both are told. Hits decide only between those whose p99 is the same. */
function byLatencyAndHits(policies: readonly PolicyResult[]): Winner {
  const fast = byLatency(policies)
  const hits = leaders(policies.map((policy) => standing(policy, missesOf)))
  const names = namesOf(hits).filter((name) => fast.policies.includes(name))
  const shares = hits.map(({ values }) => brief((1 - median(values)) * 100))
  const range = [...new Set([shares.at(-1), shares[0]])].join(' to ')
  const isSame = namesOf(hits).toSorted().join() === fast.policies.toSorted().join()
  const text = `${fast.text} Most cache hits: ${isSame ? 'the same' : listed(namesOf(hits), policies.length)} (${range}%).`
  if (fast.policies.length === 1 || names.length === 0 || names.length === fast.policies.length) return { ...fast, text }
  return { metric: 'cacheHits', policies: names, text }
}

function latencyText(best: readonly Standing[], policies: readonly PolicyResult[]): string {
  const [first] = best
  if (first === undefined) return ''
  const own = median(first.values)
  const others = policies.map((policy) => standing(policy, p99Of)).filter(({ name }) => !best.some((one) => one.name === name))
  const next = others.toSorted((a, b) => median(a.values) - median(b.values))[0]
  const rival = next === undefined ? '' : `${next.name}, ${brief(median(next.values))} ms`
  const share = spread(first.values)
  const noise = share === null ? '' : ` ±${percent(share)}`
  if (best.length === 1)
    return `${first.name} has the lowest p99: ${brief(own)} ms${noise}, ${percent(1 - own / median(next?.values ?? []))} below the next (${rival}).`
  const worst = Math.max(...best.map(({ values }) => median(values)))
  if (others.length === 0) return `The spread lets nobody win: p99 is ${brief(own)} to ${brief(worst)} ms.`
  return `${listed(namesOf(best), policies.length)} cannot be told apart by p99 (${brief(own)} to ${brief(worst)} ms); the best of the others: ${rival}.`
}

function fewestErrors(rest: readonly PolicyResult[], policies: readonly PolicyResult[]): string {
  const errors = ({ rounds }: PolicyResult) => rounds.reduce((sum, { errors }) => sum + errors, 0)
  const others = policies.filter((policy) => !rest.includes(policy))
  const own = Math.max(...rest.map(errors))
  const names = rest.map(({ policy }) => policy)
  const verb = names.length === 1 ? 'has' : 'have'
  return `${listed(names, policies.length)} ${verb} the fewest errors: ${own === 0 ? 'none' : `at most ${count(own)}`}, the others ${count(Math.min(...others.map(errors)))} and more.`
}

function unknown(policies: readonly PolicyResult[]): Winner {
  const values = policies.map(({ rounds }) => median(rounds.map(p99Of)))
  const range = `${brief(Math.min(...values))} to ${brief(Math.max(...values))} ms`
  return { metric: 'p99', policies: [], text: `Nobody is named, as one round has no spread: p99 is ${range}.` }
}

function standing({ policy, rounds }: PolicyResult, measure: (round: Round) => number): Standing {
  return { name: policy, values: rounds.map(measure) }
}

const p99Of = ({ latency }: Round): number => latency.p99
const errorsOf = ({ errors }: Round): number => errors
const missesOf = ({ cacheHits }: Round): number => 1 - (cacheHits ?? 0)

function hasCaches(policies: readonly PolicyResult[]): boolean {
  return policies.some(({ rounds }) => rounds.some(({ cacheHits }) => cacheHits !== null))
}

function namesOf(standings: readonly Standing[]): string[] {
  return standings.map(({ name }) => name)
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 others`, `all 8`. */
function listed(names: readonly string[], all: number): string {
  if (names.length > 3 && names.length === all) return `all ${all}`
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} others`] : names
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
