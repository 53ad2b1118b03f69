/**
 * THE STORY of one L4 connection, read second. C++ owns the bytes and calls here when a connection of a `tcp` or `tls` listener is
 * here, and when its server could not be reached. C++ twin: native/tcp/tunnel.h.
 *
 *     accept -> ROUTE -> PICK -> tunnel -> observe
 */
import type { ConnectionOutcome } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import type { ExchangeId, Verdict } from './exchange.ts'
import { type FailureKind, mayConnectAgain } from './forward/retry.ts'
import { ConnectionView, CurrentTunnel } from './lent-tunnel.ts'
import { DISTRUST_MS, isOwnShortage, pickServer } from './pick/pick-server.ts'
import type { HostRoutes } from './route/router.ts'
import type { RunningListener, RunningRoute, Snapshot, TunnelTarget } from './snapshot.ts'

const { lent: at, refusal, verdict } = abi
const failureKinds = Object.keys(abi.failure) as FailureKind[]

/** What is remembered of a connection between its attempts. */
interface Attempts {
  generation: number
  failed: number[]
}

export class ConnectionLife {
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #tunnel: CurrentTunnel
  readonly #report: (error: unknown) => void
  #snapshot: Snapshot
  /** By tunnel index; an entry of another generation is of a tunnel that is over. */
  readonly #attempts = new Map<number, Attempts>()

  constructor(engine: Engine, snapshot: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#tunnel = new CurrentTunnel(engine)
    this.#snapshot = snapshot
    this.#report = report
  }

  /** From now on decisions are made on this snapshot. */
  serve(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** A connection is here: route it, pick a server. Both texts are '' where there was no ClientHello. */
  decide(serverName: string, alpn: string): Verdict {
    const listener = this.#snapshot.listeners[this.#lent[at.listener] as number] as RunningListener
    this.#tunnel.hello(serverName, alpn)
    const found = this.#routesFor(listener, serverName).find('/', this.#tunnel)
    if (found === undefined) return this.#refuse(refusal.noRoute)
    const route = listener.routes[found.index] as RunningRoute
    return route.config.onConnection === undefined ? this.#act(route) : this.#askFunction(route, listener)
  }

  /** The server could not be reached. Nothing was sent, so any other server will do. */
  afterFailure(): Verdict {
    const kind = failureKinds[this.#lent[at.reason] as number] as FailureKind
    const failedSlot = this.#lent[at.failedServer] as number
    const target = this.#snapshot.tunnelTargets[this.#lent[at.plan] as number] as TunnelTarget
    const memory = this.#memory()
    memory.failed.push(failedSlot)
    const { config, picker } = target.upstream
    if (kind !== 'busy' && !isOwnShortage(this.#lent[at.detail] as number))
      picker.distrust(failedSlot, (this.#lent[at.nowMs] as number) + DISTRUST_MS)
    if (!mayConnectAgain(kind, memory.failed.length, config.retry)) return this.#refuse(refusal.noServer)
    return this.#forward(target, memory.failed)
  }

  /** A tunnel ended that waited or had several attempts. */
  ended(): Verdict {
    this.#attempts.delete(this.#lent[at.index] as number)
    return verdict.answer
  }

  /** Names come from clients, so only the routes of those without one are kept. */
  #routesFor(listener: RunningListener, serverName: string): HostRoutes {
    if (serverName !== '') return listener.router.hostRoutes(serverName)
    listener.hosts[0] ??= listener.router.hostRoutes('')
    return listener.hosts[0]
  }

  #act(route: RunningRoute): Verdict {
    const { targets, split } = route.tunnel
    return this.#forward((targets.length === 1 ? targets[0] : targets[split.choose(Math.random())]) as TunnelTarget, [])
  }

  #forward(target: TunnelTarget, failed: readonly number[]): Verdict {
    const slot = pickServer(target.upstream.picker, this.#snapshot.board, this.#lent[at.nowMs] as number, Math.random(), failed)
    if (slot < 0) return this.#refuse(refusal.noServer)
    this.#lent[at.server] = slot
    this.#lent[at.plan] = target.plan
    return verdict.forward
  }

  #refuse(reason: number): Verdict {
    this.#lent[at.detail] = reason
    return verdict.abort
  }

  #memory(): Attempts {
    const index = this.#lent[at.index] as number
    const generation = this.#lent[at.generation] as number
    const known = this.#attempts.get(index)
    if (known !== undefined && known.generation === generation) return known
    const made = { generation, failed: [] }
    this.#attempts.set(index, made)
    return made
  }

  // Functions of the configuration.

  #askFunction(route: RunningRoute, listener: RunningListener): Verdict {
    const id: ExchangeId = { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
    const connection = new ConnectionView(this.#engine, id, listener.config.name, this.#tunnel)
    try {
      const outcome = route.config.onConnection?.(connection)
      if (!isThenable(outcome)) return this.#actOn(outcome, route)
      this.#resumeWhenSettled(outcome, id, route)
      return verdict.wait
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** `lent` has moved on by then, so this connection's facts are put back before its verdict is made. */
  #resumeWhenSettled(outcome: PromiseLike<ConnectionOutcome>, id: ExchangeId, route: RunningRoute): void {
    const facts = this.#lent.slice()
    const resume = (decide: () => Verdict) => {
      this.#lent.set(facts)
      let made: Verdict
      try {
        made = decide()
      } catch (error) {
        made = this.#fail(error)
      }
      this.#engine.resumeTunnel(id.index, id.generation, made)
    }
    outcome.then(
      (settled) => resume(() => this.#actOn(settled, route)),
      (error) => resume(() => this.#fail(error)),
    )
  }

  #actOn(outcome: ConnectionOutcome, route: RunningRoute): Verdict {
    if (outcome === undefined || outcome === null) return this.#act(route)
    if ('close' in outcome) return this.#refuse(refusal.byFunction)
    const target = route.tunnel.targets.find((one) => one.upstream.config.name === outcome.upstream)
    if (target === undefined)
      throw new RangeError(`onConnection chose the upstream ${JSON.stringify(outcome.upstream)}, which does not exist`)
    return this.#forward(target, [])
  }

  #fail(error: unknown): Verdict {
    this.#report(error)
    return this.#refuse(refusal.byFunction)
  }
}

function isThenable(outcome: unknown): outcome is PromiseLike<ConnectionOutcome> {
  return typeof (outcome as { then?: unknown } | null | undefined)?.then === 'function'
}
