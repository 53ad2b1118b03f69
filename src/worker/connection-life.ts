/**
 * THE STORY of one L4 connection, read second. C++ owns the bytes and calls here when a connection of a `tcp` or `tls` listener is
 * here, and when its server could not be reached. C++ twin: native/tcp/tunnel.h.
 *
 *     accept -> ROUTE -> PICK -> tunnel -> observe
 */
import type { ConnectionOutcome } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { machineMs } from '../shared/base/clock.ts'
import { isThenable } from '../shared/base/thenable.ts'
import type { ExchangeId, Verdict } from './exchange.ts'
import { type FailureKind, mayConnectAgain } from './forward/retry.ts'
import { whenSettled } from './late-verdict.ts'
import { ConnectionView, CurrentTunnel } from './lent-tunnel.ts'
import { DISTRUST_MS, isOwnShortage } from './pick/distrust.ts'
import { NOTHING_EXCLUDED } from './pick/eligible.ts'
import { PickContext } from './pick/pick-context.ts'
import type { HostRoutes } from './route/router.ts'
import { noteHeld, type Patience, type PlaceToWait, placeToBeHeld, placeToWait } from './server-wait.ts'
import type { RunningListener, RunningRoute, Snapshot, TunnelTarget } from './snapshot.ts'

const { lent: at, refusal, verdict } = abi
const failureKinds = Object.keys(abi.failure) as FailureKind[]

/** What is remembered of a connection between its attempts, and while it waits. */
interface Attempts extends Patience {
  readonly id: ExchangeId
  readonly target: TunnelTarget
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
  readonly #context: PickContext

  constructor(engine: Engine, snapshot: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#tunnel = new CurrentTunnel(engine)
    this.#snapshot = snapshot
    this.#report = report
    this.#context = new PickContext(snapshot.board, snapshot.latencies, Math.random)
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
    const target = this.#snapshot.tunnelTarget(this.#lent[at.plan] as number)
    if (target === undefined) return this.#refuse(refusal.noServer)
    const memory = this.#remember(target)
    memory.failed.push(failedSlot)
    const { upstream, retry } = memory.target
    if (kind !== 'busy' && !isOwnShortage(this.#lent[at.detail] as number))
      upstream.picker.distrust(failedSlot, (this.#lent[at.nowMs] as number) + DISTRUST_MS)
    if (!mayConnectAgain(kind, memory.failed.length, retry)) return this.#hold(memory) ?? this.#refuse(refusal.noServer)
    const slot = this.#pick(memory.target, memory.failed)
    if (slot >= 0) return this.#forwardTo(slot, memory.target)
    if (kind !== 'busy') return this.#hold(memory) ?? this.#refuse(refusal.noServer)
    // Who lost a race for room has asked nobody yet.
    memory.failed.pop()
    this.#context.excluded = memory.failed
    return this.#wait(memory) ?? this.#refuse(refusal.noServer)
  }

  /** A tunnel ended that waited or had several attempts. */
  ended(): Verdict {
    const memory = this.#attempts.get(this.#lent[at.index] as number)
    if (memory === undefined || memory.id.generation !== this.#lent[at.generation]) return verdict.answer
    this.#attempts.delete(memory.id.index)
    memory.target.upstream.queue?.leave('tunnel', memory.id)
    memory.target.upstream.hold?.leave('tunnel', memory.id)
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
    return this.#forward((targets.length === 1 ? targets[0] : targets[split.choose(Math.random())]) as TunnelTarget)
  }

  #forward(target: TunnelTarget): Verdict {
    const { upstream } = target
    if (upstream.pass < 1 && Math.random() >= upstream.pass) return this.#refuse(refusal.noServer)
    const slot = this.#pick(target, NOTHING_EXCLUDED)
    if (slot >= 0) return this.#forwardTo(slot, target)
    return this.#wait(this.#remember(target)) ?? this.#refuse(refusal.noServer)
  }

  #pick({ upstream }: TunnelTarget, excluded: readonly number[]): number {
    const context = this.#context
    context.now = this.#lent[at.nowMs] as number
    context.excluded = excluded
    context.key = ''
    if (upstream.config.hash !== null) context.clientIp = this.#tunnel.clientIp
    if (upstream.load(context.now) >= upstream.config.limits.inFlight) return -1
    return upstream.picker.pick(context)
  }

  #forwardTo(slot: number, target: TunnelTarget): Verdict {
    this.#lent[at.server] = slot
    this.#lent[at.plan] = target.plan
    target.upstream.forwarded()
    return verdict.forward
  }

  /** Waits for room, or for a server at all. null: it may not. */
  #wait(memory: Attempts): Verdict | null {
    return this.#enter(placeToWait(memory.target.upstream, this.#context, memory), memory)
  }

  #hold(memory: Attempts): Verdict | null {
    return this.#enter(placeToBeHeld(memory.target.upstream, memory), memory)
  }

  #enter(place: PlaceToWait | null, memory: Attempts): Verdict | null {
    if (place === null) return null
    const facts = this.#lent.slice()
    const entered = place.room.enter({
      id: memory.id,
      kind: 'tunnel',
      deadlineMs: place.deadlineMs,
      proceed: () => {
        this.#lent.set(facts)
        this.#lent[at.nowMs] = machineMs() & 0x7fffffff
        memory.failed = []
        const slot = this.#pick(memory.target, NOTHING_EXCLUDED)
        if (slot < 0) return false
        noteHeld(memory.target.upstream, memory)
        this.#engine.resumeTunnel(memory.id.index, memory.id.generation, this.#forwardTo(slot, memory.target))
        return true
      },
      giveUp: () => {
        noteHeld(memory.target.upstream, memory)
        this.#lent.set(facts)
        this.#engine.resumeTunnel(memory.id.index, memory.id.generation, this.#refuse(refusal.noServer))
      },
    })
    return entered ? verdict.wait : null
  }

  #refuse(reason: number): Verdict {
    this.#lent[at.detail] = reason
    return verdict.abort
  }

  #remember(target: TunnelTarget): Attempts {
    const id = this.#id()
    const known = this.#attempts.get(id.index)
    if (known !== undefined && known.id.generation === id.generation) return known
    const made = { id, target, failed: [], holdUntilMs: 0, queueUntilMs: 0 }
    this.#attempts.set(id.index, made)
    return made
  }

  #id(): ExchangeId {
    return { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
  }

  // Functions of the configuration.

  #askFunction(route: RunningRoute, listener: RunningListener): Verdict {
    const id = this.#id()
    const connection = new ConnectionView(this.#engine, id, listener.config.name, this.#tunnel)
    const act = (outcome: ConnectionOutcome) => this.#actOn(outcome, route)
    const fail = (error: unknown) => this.#fail(error)
    try {
      const outcome = route.config.onConnection?.(connection)
      if (!isThenable(outcome)) return act(outcome)
      whenSettled(this.#lent, outcome, { act, fail, resume: (made) => this.#engine.resumeTunnel(id.index, id.generation, made) })
      return verdict.wait
    } catch (error) {
      return fail(error)
    }
  }

  #actOn(outcome: ConnectionOutcome, route: RunningRoute): Verdict {
    if (outcome === undefined || outcome === null) return this.#act(route)
    if ('close' in outcome) return this.#refuse(refusal.byFunction)
    const target = route.tunnel.targets.find((one) => one.upstream.config.name === outcome.upstream)
    if (target === undefined)
      throw new RangeError(`onConnection chose the upstream ${JSON.stringify(outcome.upstream)}, which does not exist`)
    return this.#forward(target)
  }

  #fail(error: unknown): Verdict {
    this.#report(error)
    return this.#refuse(refusal.byFunction)
  }
}
