/** The story of a deploy: batch by batch, and what becomes of everything when one of them fails. */
import type { FiguresData, UpstreamStatus } from '../../shared/control/data.ts'
import { CommandError, Interrupted } from '../control-errors.ts'
import { aftermath } from './aftermath.ts'
import { capacityBeside } from './capacity.ts'
import type { DeployData } from './data.ts'
import type { DeployKit } from './effects.ts'
import { type DeployPlan, whyLeftOut } from './plan.ts'
import { note, upstreamNow } from './server-actions.ts'
import { ServerDeploy } from './server-deploy.ts'
import { soak } from './soak.ts'
import { performanceBetween } from './soak-verdict.ts'

const pauseMs = 250

export interface DeploySignals {
  /** The first Ctrl-C: no further steps. */
  stop: AbortSignal
  /** The second: no rollback either. */
  stopNow: AbortSignal
}

/**
 * Deploys as planned and answers the report. It does not throw for anything that happens to a server or to the balancer: then it stops,
 * and brings what can be brought into a good state.
 */
export async function rollOut(plan: DeployPlan, kit: DeployKit, signals: DeploySignals): Promise<DeployData> {
  const rollout = new Rollout(plan, kit)
  let cause: unknown = null
  try {
    await rollout.forward(signals.stop)
  } catch (error) {
    cause = error
  }
  // Now that it is over, one Ctrl-C more is the first one that counts.
  if (cause !== null) await aftermath({ servers: rollout.servers, cause, kit, signal: signals.stopNow })
  return rollout.report(cause)
}

class Rollout {
  readonly servers: readonly ServerDeploy[]
  readonly #batches: ServerDeploy[][]
  readonly #kit: DeployKit
  readonly #startedAt: number
  #figuresAtStart: FiguresData['servers'] | null = null

  constructor({ batches, skipped, order }: DeployPlan, kit: DeployKit) {
    this.#kit = kit
    this.#startedAt = kit.effects.now()
    this.#batches = batches.map((batch) => batch.map((server) => new ServerDeploy(server, kit)))
    const leftOut = skipped.map(({ server, why }) => {
      const deploy = new ServerDeploy(server, kit)
      deploy.end('skipped', why)
      return deploy
    })
    this.servers = [...this.#batches.flat(), ...leftOut].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
  }

  async forward(signal: AbortSignal): Promise<void> {
    const { options, effects } = this.#kit
    signal.throwIfAborted()
    this.#figuresAtStart = (await effects.ask('figures', { upstream: options.upstream, restartHold: true }, { signal })).servers
    for (const batch of this.#batches) await this.#renew(batch, signal)
  }

  /** The state of the servers is asked once more; where that fails the report leaves it out. */
  async report(cause: unknown): Promise<DeployData> {
    const { effects, options } = this.#kit
    const signal = new AbortController().signal
    const upstream = await upstreamNow(this.#kit, signal).catch(() => null)
    const figures = await effects.ask('figures', { upstream: options.upstream }, { signal }).catch(() => null)
    const start = this.#figuresAtStart
    const all = new Set(figures?.servers.map(({ id }) => id))
    const served = figures === null || start === null ? null : performanceBetween(start, figures.servers, all)
    const stateOf = (id: string) => upstream?.servers.find((server) => server.id === id)?.state ?? null
    return {
      upstream: options.upstream,
      outcome: cause === null ? 'done' : cause instanceof Interrupted ? 'interrupted' : 'failed',
      exit: exitOf(cause),
      reason: cause === null ? '' : (cause as Error).message,
      dryRun: false,
      tookMs: Math.round(effects.now() - this.#startedAt),
      requests: served?.exchanges ?? null,
      failures: served?.failures ?? null,
      longestHoldMs: served === null ? null : (figures?.longestHoldMs ?? null),
      servers: this.servers.map((server) => server.report(stateOf(server.id))),
    }
  }

  async #renew(planned: readonly ServerDeploy[], signal: AbortSignal): Promise<void> {
    const batch = await this.#whenSpared(planned, signal)
    const results = await Promise.allSettled(batch.map((server) => attempt(server, signal)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const others = this.servers.filter(({ at }) => at === 'waiting').map(({ id }) => id)
    await soak({ batch, others, figuresAtStart: this.#figuresAtStart ?? [], kit: this.#kit, signal })
  }

  /**
   * Waits until the upstream can do without these servers, and looks at them anew: some may be gone, or drained by hand. After the first
   * batch that may take as long as checks may; the end of slow starts is awaited in any case, as it comes by itself.
   * @throws CommandError (exit 5) when it cannot
   */
  async #whenSpared(planned: readonly ServerDeploy[], signal: AbortSignal): Promise<ServerDeploy[]> {
    const { effects, options } = this.#kit
    const isFirst = planned === this.#batches[0]
    const deadline = effects.now() + (isFirst ? 0 : options.healthTimeoutMs)
    for (let told = ''; ; await effects.sleep(pauseMs, signal)) {
      const upstream = await upstreamNow(this.#kit, signal)
      const batch = this.#lookedAt(planned, upstream)
      if (batch.length === 0) return batch
      const ids = new Set(batch.map(({ id }) => id))
      const { at, text } = capacityBeside(upstream, { without: ids, floor: options.floor })
      if (at === 'enough' || options.isForced) return batch
      if (at === 'below' && effects.now() >= deadline) throw refusal(ids, text)
      if (text !== told)
        note(this.#kit, null, `waiting with ${[...ids].join(', ')}${at === 'warming' ? ' for the end of slow starts' : ''}: ${text}`)
      told = text
    }
  }

  #lookedAt(planned: readonly ServerDeploy[], { servers }: UpstreamStatus): ServerDeploy[] {
    for (const deploy of planned.filter(({ at }) => at === 'waiting')) {
      const now = servers.find(({ id }) => id === deploy.id)
      const why = now === undefined ? 'it is not in the upstream any more' : whyLeftOut(now, this.#kit.options)
      if (why !== null) deploy.end('skipped', why)
      else if (now !== undefined) deploy.server = now
    }
    return planned.filter(({ at }) => at === 'waiting')
  }
}

async function attempt(server: ServerDeploy, signal: AbortSignal): Promise<void> {
  try {
    await server.renew(signal)
  } catch (error) {
    if (!(error instanceof Interrupted)) server.failure = error
    throw error instanceof Interrupted ? error : named(server, error as Error)
  }
}

/** The error with the server's name, and its exit code. */
function named({ id }: ServerDeploy, error: Error): Error {
  return Object.assign(new Error(`${id}: ${error.message}`, { cause: error }), { exit: exitOf(error) })
}

/** Of what has one; 1 for a mistake of the program. */
function exitOf(error: unknown): number {
  if (error === null) return 0
  const { exit } = error as { exit?: unknown }
  return typeof exit === 'number' ? exit : 1
}

function refusal(ids: ReadonlySet<string>, text: string): CommandError {
  return new CommandError({ code: 'refused', message: `${[...ids].join(', ')} cannot be spared: ${text}`, exit: 5 })
}
