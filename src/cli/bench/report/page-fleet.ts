/** A fleet's part of the page. Pure. */
import type { FleetResult, PolicyResult } from '../result.ts'
import { hasBars, type Inks, quantilePlot, serverPlot, timePlots } from './fleet-plots.ts'
import { htmlTable } from './html.ts'
import { brief, median, percent, spread } from './numbers.ts'
import { swatch } from './plot/legend.ts'
import { escaped } from './plot/svg.ts'
import { bestBy, type Figure, figuresOf, winnersOf } from './terminal.ts'
import { winnerOf } from './winner.ts'

/** `id` is where links lead to. */
export function fleetSection(fleet: FleetResult, id: string, inks: Inks): string {
  const hasRounds = fleet.policies.some(({ rounds }) => rounds.length > 0)
  const parts = [
    `<h2>${escaped(fleet.name)}</h2>`,
    `<p>${escaped(fleet.question)}</p>`,
    `<p class="quiet">${escaped(loadOf(fleet))}</p>`,
    verdict(fleet),
    ...fleet.notes.map((note) => `<p class="warning">${escaped(note)}</p>`),
    hasRounds ? pictures(fleet, inks) : '<p>Nothing was measured here.</p>',
  ]
  return `<section id="${id}">\n${parts.join('\n')}\n</section>`
}

function pictures(fleet: FleetResult, inks: Inks): string {
  const hasSlices = fleet.policies.some(({ rounds }) => rounds.some(({ slices }) => slices.length > 1))
  const overTime = [
    '<h3>p99 over time</h3>',
    '<p class="quiet">Milliseconds; thin lines are single rounds, the thick one their median. Red at the lower end: errors.</p>',
    timePlots(fleet, inks),
  ]
  return [
    numbers(fleet, inks),
    '<h3>Latency by percentile</h3>',
    '<p class="quiet">Median over the rounds; the shade reaches from the best to the worst round.</p>',
    quantilePlot(fleet, inks),
    ...(hasSlices ? overTime : []),
    '<h3>Requests by server</h3>',
    `<p class="quiet">${escaped(serversOf(fleet))}${hasBars(fleet) ? ' A line across a bar: its share by weight.' : ''}</p>`,
    serverPlot(fleet, inks),
  ].join('\n')
}

function loadOf({ rate, connections, servers }: FleetResult): string {
  const load = `${brief(rate)} requests per second over ${connections} connections to ${servers.length} servers`
  const weights = new Set(servers.map(({ weight }) => weight))
  return weights.size > 1 ? `${load}, weights ${servers.map(({ weight }) => weight).join(' : ')}.` : `${load} of one weight.`
}

/** `a, b, c: 5 ms, 8 at a time. d: 25 ms, 8 at a time.` */
function serversOf({ servers }: FleetResult): string {
  const groups = new Map<string, string[]>()
  for (const { name, description } of servers) groups.set(description, [...(groups.get(description) ?? []), name])
  return [...groups]
    .map(([description, names]) => `${names.length > 4 ? `${names[0]} to ${names.at(-1)}` : names.join(', ')}: ${description}.`)
    .join(' ')
}

function verdict(fleet: FleetResult): string {
  const winner = fleet.winner ?? winnerOf(fleet)
  if (winner === null) return ''
  return `<p class="verdict${winner.policies.length === 1 ? '' : ' open'}">${escaped(winner.text)}</p>`
}

function numbers(fleet: FleetResult, inks: Inks): string {
  const figures = figuresOf(fleet)
  const best = figures.map((figure) => bestBy(figure, fleet.policies))
  const winners = winnersOf(fleet)
  const titles = [{ html: 'policy' }, ...figures.map(({ title, text }) => ({ html: escaped(title), text }))]
  const rows = fleet.policies.map((policy) => ({
    head: `${swatch(inks.get(policy.policy) ?? 0)} ${escaped(policy.policy)}${policy.isConfigured ? ' <small class="quiet">(yours)</small>' : ''}`,
    wins: winners.includes(policy.policy),
    cells: figures.map((figure, index) => ({ html: figureCell(figure, policy), isBest: best[index]?.has(policy.policy) ?? false })),
  }))
  const unit =
    '<p class="quiet">Latency in ms, queue in ms per request, CPU in µs per request. Bold: better than the others by more than the spread.</p>'
  return `${htmlTable(titles, rows)}\n${unit}`
}

function figureCell(figure: Figure, { rounds }: PolicyResult): string {
  if (rounds.length === 0) return '-'
  const values = rounds.map(figure.valueOf)
  const share = figure.better === null ? null : spread(values)
  return `${escaped(figure.show([median(values)]))}${share === null ? '' : ` <small>±${escaped(percent(share))}</small>`}`
}
