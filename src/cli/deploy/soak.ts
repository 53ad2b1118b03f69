/** Watches servers that got traffic again for a while. */
import type { FiguresData, ServerStatus } from '../../shared/control/data.ts'
import { span } from '../words.ts'
import { type DeployKit, StepFailed } from './effects.ts'
import { upstreamNow } from './server-actions.ts'
import type { ServerDeploy } from './server-deploy.ts'
import { leastForLatency, type Performance, p99Ms, performanceBetween, performanceUntil, whyHopeless, whyWorse } from './soak-verdict.ts'

const lookMs = 1_000

export interface Soak {
  batch: readonly ServerDeploy[]
  /** Servers with the old version, to compare with. */
  others: readonly string[]
  /** To compare with where the others are too few, or got too little. */
  figuresAtStart: FiguresData['servers']
  kit: DeployKit
  signal: AbortSignal
}

/** Ends each server of the batch as done. @throws StepFailed when one does worse than it may; that one has its failure set */
export async function soak(task: Soak): Promise<void> {
  const { batch, kit, signal } = task
  for (const server of batch) server.to('soaking', `watching it for ${span(kit.options.soakMs)}`)
  const watch = kit.options.soakMs > 0 && batch.length > 0 ? await watched(task) : () => null
  signal.throwIfAborted()
  for (const server of batch) {
    const why = watch(server)
    if (why === null) server.end('done', '')
    else server.failure = new StepFailed(why)
  }
  const bad = batch.filter(({ failure }) => failure !== null)
  if (bad.length > 0) throw new StepFailed(bad.map(({ id, failure }) => `${id}: ${(failure as Error).message}`).join('; '))
}

/** Looks every second until the time is over, or one is clearly bad. Answers what is wrong with a server. */
async function watched({ batch, others, figuresAtStart, kit, signal }: Soak): Promise<(server: ServerDeploy) => string | null> {
  const { effects, options } = kit
  const read = async () => (await effects.ask('figures', { upstream: options.upstream }, { signal })).servers
  const before = await read()
  const startedAt = effects.now()
  const end = startedAt + options.soakMs
  // A program that has just started is slow at first in every version: times count from the second half on.
  let warm = before
  for (;;) {
    await effects.sleep(Math.min(lookMs, options.soakMs / 2, Math.max(0, end - effects.now())), signal)
    const after = await read()
    if (warm === before && effects.now() >= startedAt + options.soakMs / 2 && effects.now() < end) warm = after
    const { servers } = await upstreamNow(kit, signal)
    const ofServer = ({ id }: ServerDeploy) => performanceBetween(before, after, new Set([id]))
    const urgent = (server: ServerDeploy) => whyGone(servers, server) ?? whyHopeless(ofServer(server))
    for (const server of batch) kit.tell({ event: 'wait', server: server.id, step: null, text: figuresText(ofServer(server)) })
    if (batch.some((server) => urgent(server) !== null)) return urgent
    if (effects.now() < end) continue
    const judged = (ids: readonly string[]): Performance => ({
      ...performanceBetween(before, after, new Set(ids)),
      firstBytes: performanceBetween(warm, after, new Set(ids)).firstBytes,
    })
    const live = judged(others)
    const measure = live.exchanges >= leastForLatency ? live : performanceUntil(figuresAtStart, new Set(figuresAtStart.map(({ id }) => id)))
    return ({ id }) => whyWorse(judged([id]), measure, options)
  }
}

function whyGone(servers: readonly ServerStatus[], { id }: ServerDeploy): string | null {
  const now = servers.find((server) => server.id === id)
  return now?.state === 'down' || now?.state === 'ejected' ? `it went ${now.state}${now.why === '' ? '' : `: ${now.why}`}` : null
}

function figuresText(performance: Performance): string {
  const p99 = p99Ms(performance)
  return `${performance.exchanges} requests, ${performance.failures} failed${p99 === null ? '' : `, p99 ${span(p99)}`}`
}
