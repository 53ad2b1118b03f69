/** One policy on one fleet for one stretch of time. */
import { Interrupted } from '../control-errors.ts'
import type { BalancerCounts } from './balancer.ts'
import { fairness } from './fairness.ts'
import type { FleetEvent } from './fleet.ts'
import type { LoadPlan, Measured, MockCount } from './messages.ts'
import type { Policy } from './policies.ts'
import type { Round } from './result.ts'
import { seedOf } from './seeded-random.ts'
import type { Settings } from './settings.ts'
import type { Stage } from './stage.ts'

/** How long answers may come after the end: longer than any stall. */
const DRAIN_MS = 6_000
/** Beyond what was planned before the load counts as lost. */
const SPARE_MS = 30_000

export interface RoundPlan {
  policy: Policy
  /** From 0. */
  round: number
  settings: Settings
  /** Nothing happens to the servers: it only makes everything warm. */
  isRehearsal: boolean
  /** Rejects with Interrupted. */
  signal: AbortSignal
}

export interface MeasuredRound {
  round: Round
  /** See Measured. */
  heldUpMs: number
}

/** Rejects with what went wrong, or with Interrupted. */
export async function measureRound(stage: Stage, plan: RoundPlan): Promise<MeasuredRound> {
  const { fleet, mocks, balancer } = stage
  const { policy, settings, signal } = plan
  const seed = seedOf(settings.seed, fleet.name, plan.round)
  await orInterrupted(prepare(stage, policy, seed), signal)
  const { measured, before, cpuUs } = await orInterrupted(underLoad(stage, plan, seed), signal)
  const [after, counts] = await Promise.all([balancer.counts(policy.id), mocks.counts()])
  const round = roundOf({ stage, seconds: settings.seconds, measured, cpuUs, counts, balancer: difference(before, after) })
  return { round, heldUpMs: measured.heldUpMs }
}

/** Brings back what was killed. */
async function prepare({ fleet, mocks, balancer }: Stage, policy: Policy, seed: number): Promise<void> {
  await mocks.start()
  if (fleet.event?.kind === 'kill') await balancer.untilUsable(policy.id, fleet.servers.length)
  await mocks.reset(seed)
}

interface UnderLoad {
  measured: Measured
  before: BalancerCounts
  cpuUs: number
}

async function underLoad(stage: Stage, { policy, settings, isRehearsal, signal }: RoundPlan, seed: number): Promise<UnderLoad> {
  const { fleet, mocks, balancer, driver } = stage
  const load: LoadPlan = {
    url: `${balancer.url}/${policy.id}/`,
    clients: fleet.rate,
    warmUpSeconds: settings.warmUpSeconds,
    seconds: settings.seconds,
    drainMs: DRAIN_MS,
    seed,
    keys: fleet.keys,
  }
  const withinMs = (settings.warmUpSeconds + settings.seconds) * 1_000 + DRAIN_MS + SPARE_MS
  const [soon, begin, end, all] = (['soon', 'begin', 'end', 'measured'] as const).map((type) => driver.hear(type, withinMs))
  for (const one of [soon, begin, end, all]) one?.catch(() => undefined)
  driver.tell({ type: 'run', plan: load })
  await soon
  const before = await balancer.counts(policy.id)
  await begin
  const cpuBefore = balancer.cpuUs()
  mocks.emptyCaches()
  const timers =
    fleet.event === null || isRehearsal ? [] : momentsOf(fleet.event, settings.seconds).map((ms) => setTimeout(() => mocks.suffer(), ms))
  signal.addEventListener('abort', () => timers.forEach(clearTimeout), { once: true })
  await end
  const cpuUs = balancer.cpuUs() - cpuBefore
  const answer = await all
  if (answer?.type !== 'measured') throw new Error('the load generator said nothing')
  return { measured: answer.measured, before, cpuUs }
}

/** When something happens, in milliseconds after the begin. */
export function momentsOf(event: FleetEvent, seconds: number): number[] {
  if (event.kind === 'kill') return [seconds * 500]
  const first = Math.min(event.everyMs, seconds * 1_000) / 4
  const count = Math.ceil((seconds * 1_000 - first) / event.everyMs)
  return Array.from({ length: count }, (_, i) => first + i * event.everyMs)
}

function difference(before: BalancerCounts, after: BalancerCounts): BalancerCounts {
  return { retries: after.retries - before.retries, queueMs: Math.max(0, after.queueMs - before.queueMs) }
}

interface Facts {
  stage: Stage
  seconds: number
  measured: Measured
  cpuUs: number
  counts: Record<string, MockCount>
  balancer: BalancerCounts
}

function roundOf({ stage: { fleet }, seconds, measured, cpuUs, counts, balancer }: Facts): Round {
  const { startedAt, responses, errors, latency, histogram, slices, loadCpu } = measured
  const requestsOf = (name: string) => counts[name]?.begun ?? 0
  // Those that stand by are not meant to have a share.
  const firstTier = Math.min(...fleet.servers.map(({ tier }) => tier))
  const sharing = fleet.servers.filter(({ tier }) => tier === firstTier)
  const all = Object.values(counts).reduce((sum, { begun }) => sum + begun, 0)
  const hits = Object.values(counts).reduce((sum, one) => sum + one.hits, 0)
  return {
    startedAt,
    seconds,
    responses,
    errors,
    latency,
    histogram,
    slices,
    requests: Object.fromEntries(fleet.servers.map(({ name }) => [name, requestsOf(name)])),
    fairness: fairness(sharing.map(({ name, weight }) => ({ weight, requests: requestsOf(name) }))),
    retries: balancer.retries,
    queueMs: balancer.queueMs,
    cacheHits: fleet.servers.some(({ cache }) => cache !== null) ? hits / Math.max(1, all) : null,
    cpuUsPerRequest: cpuUs / Math.max(1, responses + errors),
    loadCpu,
  }
}

function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Interrupted('interrupted'))
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
