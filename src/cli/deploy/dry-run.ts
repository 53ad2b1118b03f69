import type { DeployData } from './data.ts'
import type { DeployOptions } from './options.ts'
import { commandsFor, type DeployPlan } from './plan.ts'

/** What a deploy would do, as lines for people. */
export function dryRunText({ batches, skipped }: DeployPlan, options: DeployOptions): string[] {
  const seconds = (ms: number) => `${ms / 1000} s`
  const batchLines = batches.flatMap((batch, i) => [
    `batch ${i + 1} of ${batches.length}: ${batch.map(({ id }) => id).join(', ')}`,
    '  refuse if the others cannot carry the load, then drain',
    `  wait until empty, ${seconds(options.drainTimeoutMs)} at most; then cut what is left`,
    ...batch.map((server) => `  ${server.id}: $ ${commandsFor(server, options).deploy}`),
    ...batch.map((server) => `  ${server.id}: ${checkText(server.isChecked, options)}`),
    `  give traffic, watch for ${seconds(options.soakMs)}`,
  ])
  const rollbackLines = batches.flat().flatMap((server) => {
    const { rollback } = commandsFor(server, options)
    return rollback === null ? [] : [`if it fails, ${server.id}: $ ${rollback}`]
  })
  return [...skipped.map(({ server, why }) => `skip ${server.id}: ${why}`), ...batchLines, ...rollbackLines, 'nothing was done (--dry-run)']
}

/** The report of a deploy that was not made. */
export function dryRunReport({ batches, skipped, order }: DeployPlan, options: DeployOptions): DeployData {
  const all = [...batches.flat().map((server) => ({ server, why: null })), ...skipped].sort(
    (a, b) => order.indexOf(a.server.id) - order.indexOf(b.server.id),
  )
  return {
    upstream: options.upstream,
    outcome: 'planned',
    exit: 0,
    reason: '',
    dryRun: true,
    tookMs: 0,
    requests: null,
    failures: null,
    longestHoldMs: null,
    servers: all.map(({ server, why }) => ({
      server: server.id,
      address: server.address,
      outcome: why === null ? 'untouched' : 'skipped',
      version: 'old',
      state: server.state,
      note: why ?? '',
      command: why === null ? commandsFor(server, options).deploy : '',
      steps: [],
    })),
  }
}

function checkText(isChecked: boolean, { checks, healthTimeoutMs }: DeployOptions): string {
  const what = isChecked ? `${checks} good checks` : `${checks} accepted connections (it has no active checks)`
  return `wait for ${what}, ${healthTimeoutMs / 1000} s at most`
}
