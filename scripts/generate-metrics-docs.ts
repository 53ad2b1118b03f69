/** Writes docs/reference/metrics.md from the catalogue: `node --import tsx scripts/generate-metrics-docs.ts`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { classicBoundsUs, type MetricRow, metrics, mostDetailed } from '../src/shared/metrics.ts'
import { terminationWords } from '../src/shared/termination.ts'

/** The manual page of the metrics. */
export function metricsMarkdown(): string {
  const rows = Object.entries<MetricRow>(metrics).map(([name, { type, labels, help }]) => {
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
  })
  return `# Metrics

Generated from src/shared/metrics.ts; do not edit. What they mean together, and what they cost: [metrics](../metrics.md).

| Name | Type | Labels | Meaning |
|---|---|---|---|
${rows.join('\n')}

Histograms have the buckets ${classicBoundsUs.map(boundText).join(', ')} and \`+Inf\`. The first ${mostDetailed.servers.toLocaleString('en-US')} servers and ${mostDetailed.routes} routes have
histograms; those beyond have counters only, and \`weir_metrics_omitted_series\` says how many are left out.

Values of \`reason\` of \`weir_termination_total\`: ${terminationWords.map((word) => `\`${word}\``).join(', ')}.
`
}

function boundText(us: number): string {
  if (us < 1_000) return `${us} µs`
  return us < 1_000_000 ? `${us / 1_000} ms` : `${us / 1_000_000} s`
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../docs/reference/metrics.md', import.meta.url), metricsMarkdown())
