/** docs/performance.md, made from records and nothing else. */
import { allCases } from '../layers.ts'
import type { Case, Metric } from '../lib/case.ts'
import { limitOf } from '../lib/limits.ts'
import { median, text } from '../lib/numbers.ts'
import { type BenchRecord, type CaseResult, valuesOf } from '../lib/record.ts'
import { standing, verdict } from '../lib/report.ts'
import { markdownTable, medianCell, number, percent, ratioCell } from './markdown.ts'
import { type Ratio, ratiosOf } from './ratios.ts'

interface Measured {
  one: Case
  result: CaseResult
  record: BenchRecord
  ratios: Ratio[]
}

/** The whole page from one record or several, each with the cases that it has. */
export function performancePage(records: BenchRecord[]): string {
  const all = records.flatMap(measuredIn)
  const ratios = all.flatMap((each) => each.ratios)
  return `${[
    '# Performance',
    '<!-- Written by `make bench-report` from bench/records; a test compares it. Do not edit. -->',
    opening,
    losses(ratios),
    level(ratios),
    budget(all),
    ...records.map((record) => [settings(record), ...measuredIn(record).map(caseSection)].join('\n\n')),
    repeat(records),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

const opening = `weir against other proxies, one worker of each on one core, all with the same work in turn. Ratios are weir's number divided by the
other's, round by round; the median, and in parentheses the interval in which another run on the same machine finds it again (995 of 1,000
times, if noise is normal). Where the interval contains 1, nobody is ahead. A star marks a rate that clients and servers limited: it is no
maximum, and the CPU time beside it is what counts. How it is measured: [bench/README.md](../bench/README.md).`

function measuredIn(record: BenchRecord): Measured[] {
  return record.results.flatMap((result) => {
    const one = allCases().find((each) => each.one.name === result.name)?.one
    return one === undefined ? [] : [{ one, result, record, ratios: ratiosOf(one, result, record.machine.cores) }]
  })
}

function losses(ratios: Ratio[]): string {
  const lost = ratios.filter((ratio) => ratio.outcome === 'behind')
  if (lost.length === 0) return '## Where weir loses\n\nIn this run: nowhere beyond the spread.'
  return `## Where weir loses\n\n${lost.map(sentence).join('\n')}`
}

function level(ratios: Ratio[]): string {
  const same = ratios.filter((ratio) => ratio.outcome === 'level')
  if (same.length === 0) return ''
  const worse = same.filter((ratio) => ratio.value > 1 === (ratio.better === 'lower') && ratio.value !== 1)
  const rest = `${same.length} of ${ratios.length} comparisons are undecided: the interval contains 1.`
  if (worse.length === 0) return `## Undecided\n\n${rest}`
  return `## Undecided\n\n${rest} In these the median speaks against weir:\n\n${worse.map(sentence).join('\n')}`
}

function sentence(ratio: Ratio): string {
  return `- ${ratio.case}, ${ratio.label}: ${ratioCell(ratio)} of ${ratio.rival}, ${ratio.better} is better`
}

/** The rows of the budget that have a limit. */
function budget(all: Measured[]): string {
  const rows = all.flatMap(({ one, result }) =>
    one.goals
      .filter((goal) => goal.must !== undefined && Number.isFinite(standing(goal, result).value))
      .map((goal) => {
        const { value, rival } = standing(goal, result)
        const limits = [goal.must, goal.aim].map((limit) => (limit === undefined ? '–' : number(limit)))
        return [
          `${one.name}: ${goal.label}`,
          goal.against === 'value' ? text(value) : number(value),
          rival || '–',
          ...limits,
          verdict(goal, value),
        ]
      }),
  )
  if (rows.length === 0) return ''
  return `## The budget\n\nweir's median divided by the median of the best other, or its own number.\n\n${markdownTable([['', 'weir', 'against', 'must', 'aim', ''], ...rows])}`
}

function settings(record: BenchRecord): string {
  const { machine } = record
  const versions = [`nginx ${machine.nginx}`, `HAProxy ${machine.haproxy}`, `Caddy ${machine.caddy}`, `Apache httpd ${machine.apache}`]
  const npm = Object.entries(machine.npm).map(([name, version]) => `${name} ${version}`)
  const pinning =
    record.cores.proxy === null ? 'nothing pinned' : `proxy on core ${record.cores.proxy}, servers and clients on core ${record.cores.load}`
  const lines = [
    `machine: ${machine.cpu}, ${machine.cores} cores${machine.virtual ? ', virtual' : ''}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    `system: Linux ${machine.kernel}, governor ${machine.governor}, ${machine.openFiles} open files`,
    `weir: ${machine.commit}, Node ${machine.node}, OpenSSL ${machine.nodeOpenssl}`,
    `others: ${[...versions, ...npm].join(', ')}; OpenSSL ${machine.openssl}`,
    `load: ${record.load}; ${pinning}`,
    `settings: ${record.rounds} rounds of ${record.seconds} s, access logs off`,
    ...record.skipped.map(({ peer, reason }) => `without ${peer}: ${reason}`),
  ]
  return `## Measured ${record.time.slice(0, 10)}, ${record.suite}\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

function caseSection({ one, result, record, ratios }: Measured): string {
  const metrics = one.metrics.filter((metric) => Object.keys(result.samples).some((peer) => valuesOf(result, peer, metric.key).length > 0))
  const parts = [`### ${one.name}`, result.question]
  if (result.obstacle !== null) parts.push(`Not measured: ${result.obstacle}.`)
  if (ratios.length > 0) parts.push(ratioTable(metrics, ratios))
  if (metrics.length > 0) parts.push(medianTable(metrics, result))
  const notes = notesOf(one, result, record.machine.cores)
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'))
  return parts.join('\n\n')
}

function ratioTable(metrics: Metric[], ratios: Ratio[]): string {
  const rivals = [...new Set(ratios.map((ratio) => ratio.rival))]
  const compared = metrics.filter((metric) => metric.better !== undefined)
  const rows = compared.map((metric) => [
    `${metric.label}, ${metric.better} is better`,
    ...rivals.map((rival) => ratioCell(ratios.find((ratio) => ratio.metric === metric.key && ratio.rival === rival))),
  ])
  return markdownTable([['weir against', ...rivals], ...rows])
}

function medianTable(metrics: Metric[], result: CaseResult): string {
  const rows = Object.keys(result.samples).map((peer) => [peer, ...metrics.map((metric) => medianCell(valuesOf(result, peer, metric.key)))])
  return markdownTable([['median', ...metrics.map((metric) => metric.label)], ...rows])
}

function notesOf(one: Case, result: CaseResult, cores: number): string[] {
  const limits = Object.keys(result.samples).flatMap((peer) => {
    const limit = limitOf(one, result, peer, cores)
    return limit === null ? [] : [`\\* ${peer}: ${limit}.`]
  })
  const noisy = Object.keys(result.samples)
    .map((peer) => ({ peer, waited: median(valuesOf(result, peer, 'waited')) }))
    .filter(({ waited }) => waited > 0.03 && !one.unpinned)
    .map(({ peer, waited }) => `Noisy: ${peer} waited ${percent(waited)} of the time for its core.`)
  const stolen = result.stolen > 0.01 ? [`Noisy: the hypervisor took ${percent(result.stolen)} of the CPU time.`] : []
  const unable = Object.entries(result.unable).map(([peer, why]) => `${peer} ${why}.`)
  return [...limits, ...noisy, ...stolen, ...unable, ...result.failures.map((failure) => `Failed: ${firstLine(failure)}`)]
}

function firstLine(failure: string): string {
  return (failure.split('\n')[0] ?? '').replaceAll('|', '\\|')
}

function repeat(records: BenchRecord[]): string {
  const commands = records.map(
    ({ suite, rounds, seconds }) =>
      `make bench-${suite === 'all' ? 'peers TLS=1' : suite} BENCH_ARGS="--rounds ${rounds} --seconds ${seconds}"`,
  )
  return `## Repeat it

\`\`\`sh
${commands.join('\n')}
make bench-report RECORD=build/bench/TIME.json                            # writes this page and the tables of the README
make bench-compare A=bench/records/latest.json B=build/bench/TIME.json    # which ratios two runs agree on
\`\`\``
}
