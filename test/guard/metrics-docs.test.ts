import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsMarkdown } from '../../scripts/generate-metrics-docs.ts'
import { type MetricRow, metrics } from '../../src/shared/metrics.ts'
import { filesIn, textOf } from './lib/sources.ts'

test('the reference of the metrics is what the catalogue says', () => {
  assert.equal(textOf('docs/reference/metrics.md'), metricsMarkdown(), 'run `make generate`')
})

test('names of metrics end as their type and unit say', () => {
  for (const [name, { type, unit }] of Object.entries<MetricRow>(metrics)) {
    assert.match(name, /^weir_[a-z][a-z0-9_]*$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    if (unit !== 'none' && unit !== 'ratio') assert.match(name, new RegExp(`_${unit}(_total)?$`), name)
  }
})

test('no two metrics are one family of OpenMetrics', () => {
  const families = Object.keys(metrics).map((name) => name.replace(/_(total|info)$/, ''))
  assert.equal(new Set(families).size, families.length)
})

test('literal names of metrics stand in the catalogue, and only the exposition and those who read it use them', () => {
  const users = ['src/primary/statistics/', 'src/cli/bench/balancer.ts']
  const known = new Set(Object.keys(metrics))
  const strays = filesIn('src', /\.ts$/)
    .filter((path) => path !== 'src/shared/metrics.ts')
    .flatMap((path) => [...textOf(path).matchAll(/'(weir_[a-z_]+)'/g)].map((match) => ({ path, name: match[1] as string })))
    .filter(
      ({ path, name }) => path !== 'src/primary/admin/access.ts' && (!known.has(name) || !users.some((user) => path.startsWith(user))),
    )
  assert.deepEqual(strays, [])
})
