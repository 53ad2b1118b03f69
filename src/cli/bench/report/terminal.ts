/** A fleet's numbers as a table. Pure. */
import { type Cell, type Column, coloured, type Screen, table } from '../../table.ts'
import { printable } from '../../words.ts'
import type { FleetResult, PolicyResult, Round } from '../result.ts'
import { brief, count, median, percent, withSpread } from './numbers.ts'
import { leaders } from './told-apart.ts'
import { winnerOf } from './winner.ts'

/** A column of the table: what it shows of the rounds of a policy. */
export interface Figure {
  title: string
  /** What it is, for who has not read the manual. */
  text: string
  valueOf(round: Round): number
  show(values: readonly number[]): string
  /** Less is better; null: neither. Then the best are marked. */
  better: 'lower' | null
}

const quantiles = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p99', 'p99'],
  ['p99.9', 'p999'],
  ['max', 'max'],
] as const

/** All columns in their order; the share of cache hits only where some policy has one. */
export function figuresOf({ policies }: FleetResult): Figure[] {
  const hasCaches = policies.some(({ rounds }) => rounds.some(({ cacheHits }) => cacheHits !== null))
  return [
    ...quantiles.map(([title, key]) => latencyFigure(title, key)),
    ...otherFigures.filter(({ title }) => hasCaches || title !== 'hits'),
  ]
}

/** Names of those that no other one is better than, by this figure; nobody where that are more than half, or one round has no spread. */
export function bestBy(figure: Figure, policies: readonly PolicyResult[]): Set<string> {
  const measured = policies.filter(({ rounds }) => rounds.length > 1)
  if (figure.better === null || measured.length < 2) return new Set()
  const best = leaders(measured.map(({ policy, rounds }) => ({ name: policy, values: rounds.map(figure.valueOf) })))
  return new Set(best.length > measured.length / 2 ? [] : best.map(({ name }) => name))
}

/**
 * The fleet with a row for every policy: medians over the rounds with their spread, then who won and what makes the numbers doubtful.
 * Where the screen is too narrow spreads go first, then the columns that can be missed: nothing is cut off.
 */
export function fleetTable(fleet: FleetResult, screen: Screen = { width: null, hasColour: false }): string {
  const head = `${coloured(printable(fleet.name), 'bold', screen)}: ${printable(fleet.question)}\n`
  const load = `${brief(fleet.rate)} requests/s over ${fleet.connections} connections, latency in ms, queue in ms per request, CPU in us per request`
  const winner = fleet.winner ?? winnerOf(fleet)
  const marked = winnersOf(fleet)
  const end = winner === null ? [] : [`${marked.length > 0 ? '* ' : ''}${winner.text}`]
  const lines = [...end, ...fleet.notes.map((note) => `note: ${note}`)].map((line) => `${printable(line)}\n`)
  return [head, `${coloured(load, 'dim', screen)}\n`, rowsOf(fleet, marked, screen), ...lines].join('')
}

/** Names that deserve a mark: nobody where all are equally good. */
export function winnersOf(fleet: FleetResult): readonly string[] {
  const names = (fleet.winner ?? winnerOf(fleet))?.policies ?? []
  return names.length < fleet.policies.length ? names : []
}

function rowsOf(fleet: FleetResult, winners: readonly string[], screen: Screen): string {
  const all = figuresOf(fleet)
  const fewer = all.filter(({ title }) => !['p90', 'max', 'fair', 'retries'].includes(title))
  const forms = [all, all.map(bare), fewer.map(bare)]
  const made = forms.map((figures) => tableOf(fleet, figures, winners, { width: null, hasColour: false }))
  const fitting = made.findIndex(
    (text) => screen.width === null || Math.max(...text.split('\n').map(({ length }) => length)) <= screen.width,
  )
  return tableOf(fleet, forms[fitting] ?? fewer.map(bare), winners, { ...screen, width: null })
}

function tableOf(fleet: FleetResult, figures: readonly Figure[], winners: readonly string[], screen: Screen): string {
  const columns: Column[] = [{ title: '' }, { title: 'policy' }, ...figures.map(({ title }): Column => ({ title, align: 'right' }))]
  const best = figures.map((figure) => bestBy(figure, fleet.policies))
  const rows = fleet.policies.map((policy): Cell[] => [
    winners.includes(policy.policy) ? '*' : ' ',
    policy.isConfigured ? `${policy.policy} (yours)` : policy.policy,
    ...figures.map((figure, index) => cell(policy, figure, best[index]?.has(policy.policy) ?? false)),
  ])
  return table(columns, rows, screen)
}

function cell({ rounds }: PolicyResult, figure: Figure, isBest: boolean): Cell {
  const text = rounds.length === 0 ? '-' : figure.show(rounds.map(figure.valueOf))
  return isBest ? { text, colour: 'green' } : text
}

/** Without the spread. */
function bare(figure: Figure): Figure {
  return { ...figure, show: (values) => figure.show([median(values)]) }
}

function latencyFigure(title: string, key: (typeof quantiles)[number][1]): Figure {
  const text = title === 'max' ? 'longest, ms' : `${title.slice(1)} % of the requests took no longer, ms`
  return { title, text, valueOf: ({ latency }) => latency[key], show: withSpread, better: 'lower' }
}

const otherFigures: Figure[] = [
  {
    title: 'fair',
    text: 'Jain’s index of requests by weight: 1 when every server had its share',
    valueOf: ({ fairness }) => fairness,
    show: (values) => median(values).toFixed(3),
    better: null,
  },
  {
    title: 'errors',
    text: 'share of requests without an answer or with one of 500 and above',
    valueOf: ({ errors, responses }) => errors / Math.max(1, errors + responses),
    show: (values) => percent(median(values)),
    better: null,
  },
  {
    title: 'retries',
    text: 'requests that were sent once more',
    valueOf: ({ retries }) => retries,
    show: (values) => count(median(values)),
    better: null,
  },
  {
    title: 'queue',
    text: 'mean wait in the balancer for room on a server, ms per request',
    valueOf: ({ queueMs, responses, errors }) => queueMs / Math.max(1, responses + errors),
    show: (values) => brief(median(values)),
    better: null,
  },
  {
    title: 'hits',
    text: 'share of requests that servers answered from their caches',
    valueOf: ({ cacheHits }) => cacheHits ?? Number.NaN,
    show: (values) => (Number.isFinite(median(values)) ? `${brief(median(values) * 100)}%` : '-'),
    better: null,
  },
  {
    title: 'CPU',
    text: 'of all the balancer’s processes, µs per request',
    valueOf: ({ cpuUsPerRequest }) => cpuUsPerRequest,
    show: withSpread,
    better: 'lower',
  },
]
