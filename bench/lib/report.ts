/** Turns the samples of a case into what is printed. */
import type { Case, Goal, Metric } from './case.ts'
import { limitOf } from './limits.ts'
import { median, spread, table, text } from './numbers.ts'
import { type CaseResult, valuesOf } from './record.ts'

/** The part of a run that is one case: a table of medians, the budget's lines, and what was noisy. `cores` is how many there are. */
export function reportCase(one: Case, result: CaseResult, cores: number): string {
  const parts = [`\n${one.name}: ${result.question}`]
  if (result.obstacle !== null) parts.push(`SKIPPED: ${result.obstacle}`)
  const metrics = one.metrics.filter((metric) =>
    Object.values(result.samples)
      .flat()
      .some((sample) => Number.isFinite(sample[metric.key] ?? Number.NaN)),
  )
  if (metrics.length > 0) parts.push(medianTable(metrics, result))
  if (result.samples['weir'] && one.goals.length > 0) parts.push(goalTable(one.goals, result))
  parts.push(...noise(one, result, cores), ...Object.entries(result.unable).map(([peer, why]) => `${peer}: ${why}`))
  parts.push(...result.failures.map((failure) => `FAILED ${failure}`))
  return parts.join('\n')
}

/** A median with the spread of the rounds behind it. */
function medianTable(metrics: Metric[], result: CaseResult): string {
  const head = ['', ...metrics.map((metric) => metric.label)]
  const rows = Object.keys(result.samples).map((peer) => [peer, ...metrics.map((metric) => cell(valuesOf(result, peer, metric.key)))])
  return table([head, ...rows])
}

function cell(values: number[]): string {
  const share = spread(values)
  return values.length > 1 && Number.isFinite(share) ? `${text(median(values))} ±${(share * 100).toFixed(0)}%` : text(median(values))
}

function goalTable(goals: Goal[], result: CaseResult): string {
  const rows = goals.map((goal) => {
    const { value, rival } = standing(goal, result)
    return [goal.label, text(value), rival, text(goal.must ?? Number.NaN), text(goal.aim ?? Number.NaN), verdict(goal, value)]
  })
  return table([['budget', 'weir', 'against', 'must', 'aim', ''], ...rows])
}

/** weir's own number, or its ratio to the one peer or to the best of them. No proxy at all is no rival. */
export function standing(goal: Goal, result: CaseResult): { value: number; rival: string } {
  const own = median(valuesOf(result, 'weir', goal.metric))
  if (goal.against === 'value') return { value: own, rival: '' }
  const best = Object.keys(result.samples)
    .filter((peer) => (goal.against === 'peers' ? !peer.startsWith('weir') && peer !== 'direct' : peer === goal.against))
    .map((peer) => ({ peer, value: median(valuesOf(result, peer, goal.metric)) }))
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((a, b) => (goal.better === 'lower' ? a.value - b.value : b.value - a.value))[0]
  return best ? { value: own / best.value, rival: best.peer } : { value: Number.NaN, rival: '-' }
}

/** What the budget says to a number: `PASS, aim met`, `PASS`, `FAIL`, or a dash where it has no limit. */
export function verdict(goal: Goal, value: number): string {
  const meets = (limit: number): boolean => (goal.better === 'lower' ? value <= limit : value >= limit)
  if (Number.isNaN(value) || goal.must === undefined || goal.aim === undefined) return '-'
  if (!meets(goal.must)) return 'FAIL'
  return meets(goal.aim) ? 'PASS, aim met' : 'PASS'
}

/** What makes the numbers doubtful: other programs on the proxy's core, and other machines on this one's host. */
function noise(one: Case, result: CaseResult, cores: number): string[] {
  const lines: string[] = []
  for (const peer of Object.keys(result.samples)) {
    const waited = median(valuesOf(result, peer, 'waited'))
    if (waited > 0.03 && !one.unpinned) lines.push(`noisy: ${peer} waited ${(waited * 100).toFixed(0)} % of the time for its core`)
    const limit = limitOf(one, result, peer, cores)
    if (limit !== null) lines.push(`limited: ${peer}: ${limit}`)
  }
  if (result.stolen > 0.01) lines.push(`noisy: the hypervisor took ${(result.stolen * 100).toFixed(1)} % of the CPU time`)
  return lines
}
