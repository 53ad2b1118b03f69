/**
 * THE STORY of one HTTP exchange, read first. C++ owns the bytes and calls here at three moments: `decide` when a head is
 * complete, `afterFailure` when an attempt at a server failed, `finished` where somebody listens. C++ twin: native/http/decider.h.
 *
 *     accept -> parse -> ROUTE -> PICK -> forward -> OBSERVE
 */
import type { Request, RequestOutcome } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import type { ExchangeId, Verdict } from './exchange.ts'
import { headerLines, requireHeader, requireStatus, stageStatus } from './forward/answers.ts'
import { afterFailure, type FailureKind } from './forward/retry.ts'
import { CurrentHead } from './lent-head.ts'
import { NOTHING_EXCLUDED } from './pick/eligible.ts'
import { DISTRUST_MS, isOwnShortage, pickServer } from './pick/pick-server.ts'
import { RequestView } from './request-view.ts'
import { normalizePath } from './route/normalize-path.ts'
import { applyRewrite, targetOf } from './route/rewrite.ts'
import type { RunningListener, RunningRoute, Snapshot, Target } from './snapshot.ts'

const { lent: at, headFlag, verdict } = abi
const failureKinds = Object.keys(abi.failure) as FailureKind[]
/** What is remembered of an exchange between its attempts. */
interface Attempts {
  generation: number
  failed: number[]
  wasReplayed: boolean
  target: Target
}

export class RequestLife {
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #head: CurrentHead
  readonly #report: (error: unknown) => void
  #snapshot: Snapshot
  /** By exchange index; an entry of another generation is of an exchange that is over. */
  readonly #attempts = new Map<number, Attempts>()

  constructor(engine: Engine, snapshot: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#head = new CurrentHead(engine)
    this.#snapshot = snapshot
    this.#report = report
  }

  /** From now on decisions are made on this snapshot. */
  serve(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** A request head is complete: route it, pick a server. `path` as sent, without the query. */
  decide(sentPath: string): Verdict {
    const flags = this.#lent[at.flags] as number
    let path = sentPath
    if (flags & headFlag.pathNeedsNormalizing) {
      const normal = normalizePath(sentPath)
      if (normal === null) return this.#answerStatus(400, null)
      path = normal
    }
    const listener = this.#snapshot.listeners[this.#lent[at.listener] as number] as RunningListener
    const found = this.#hostRoutes(listener).find(path === '' ? '/' : path, this.#head)
    if (found === undefined) return this.#answerStatus(404, null)
    const route = listener.routes[found.index] as RunningRoute
    if (route.config.onRequest !== undefined) return this.#askFunction(route, path)
    return this.#act(route, path, path !== sentPath)
  }

  /** An attempt failed before a response began: another one, or an answer. Facts are in `lent`. */
  afterFailure(): Verdict {
    const index = this.#lent[at.index] as number
    const failedSlot = this.#lent[at.failedServer] as number
    const memory = this.#memoryOf(index)
    const kind = failureKinds[this.#lent[at.reason] as number] as FailureKind
    const flags = this.#lent[at.flags] as number
    const { config, picker } = memory.target.upstream
    // A shortage of our own says nothing about the server.
    if (kind === 'connect' && !isOwnShortage(this.#lent[at.detail] as number))
      picker.distrust(failedSlot, (this.#lent[at.nowMs] as number) + DISTRUST_MS)
    const next = afterFailure(
      {
        kind,
        isUnsent: (flags & headFlag.unsentIsCertain) !== 0,
        isReused: (flags & headFlag.reusedConnection) !== 0,
        isIdempotent: (flags & headFlag.idempotent) !== 0,
        isReplayable: (flags & headFlag.replayable) !== 0,
        wasReplayed: memory.wasReplayed,
        failures: memory.failed.length + 1,
      },
      config.retry,
    )
    if (next.do === 'again') {
      memory.wasReplayed = true
      return this.#forwardTo(failedSlot, memory.target, true)
    }
    memory.failed.push(failedSlot)
    if (next.do === 'answer') return this.#giveUp(index, next.status, memory.target)
    const slot = pickServer(picker, this.#snapshot.board, this.#lent[at.nowMs] as number, Math.random(), memory.failed)
    if (slot < 0) return this.#giveUp(index, kind === 'busy' ? 503 : statusWhenNobodyIsLeft(kind), memory.target)
    return this.#forwardTo(slot, memory.target, kind !== 'connect' && kind !== 'connectTimeout' && kind !== 'busy')
  }

  /** An exchange ended whose plan asked to be told. */
  finished(): Verdict {
    this.#attempts.delete(this.#lent[at.index] as number)
    return verdict.answer
  }

  // Route: what the route says is to be done.

  #act(route: RunningRoute, path: string, isChanged: boolean): Verdict {
    const action = route.action
    if (action.kind === 'forward') {
      const target = action.targets.length === 1 ? action.targets[0] : action.targets[action.split.choose(Math.random())]
      return this.#forward(target as Target, path, isChanged)
    }
    if (action.kind === 'answer') {
      this.#engine.stageAnswer(action.status, action.headers, action.contentType, action.body)
      return verdict.answer
    }
    const { redirect } = action
    const location = redirect.kind === 'static' ? redirect.location : redirect.location(this.#head.forRedirect(path))
    this.#engine.stageAnswer(action.status, `Location: ${location}\r\n`, '', '')
    return verdict.answer
  }

  #forward(target: Target, path: string, isChanged: boolean): Verdict {
    const { rewrite, config } = target.route
    if (isChanged || rewrite.kind === 'dynamic') this.#retarget(target.route, path)
    if (config.pick !== undefined) {
      const chosen = this.#askPick(target, path)
      if (chosen >= 0) return this.#forwardTo(chosen, target, false)
    }
    const slot = pickServer(target.upstream.picker, this.#snapshot.board, this.#lent[at.nowMs] as number, Math.random(), NOTHING_EXCLUDED)
    if (slot < 0) return this.#answerStatus(503, target.route)
    return this.#forwardTo(slot, target, false)
  }

  #forwardTo(slot: number, target: Target, isFresh: boolean): Verdict {
    this.#lent[at.server] = slot
    this.#lent[at.plan] = target.plan
    this.#lent[at.freshConnection] = isFresh ? 1 : 0
    return verdict.forward
  }

  #giveUp(index: number, status: number, target: Target): Verdict {
    this.#attempts.delete(index)
    return this.#answerStatus(status, target.route)
  }

  #answerStatus(status: number, route: RunningRoute | null): Verdict {
    stageStatus(this.#engine, status, route?.config.errorPages ?? {})
    return verdict.answer
  }

  #retarget(route: RunningRoute, path: string): void {
    const target = targetOf(applyRewrite(route.rewrite, path), this.#head.query)
    this.#engine.setTarget(this.#lent[at.index] as number, this.#lent[at.generation] as number, target)
  }

  #hostRoutes(listener: RunningListener) {
    const id = this.#lent[at.host] as number
    const known = id >= 0 ? listener.hosts[id] : undefined
    if (known !== undefined) return known
    const routes = listener.router.hostRoutes(this.#head.host)
    if (id >= 0) listener.hosts[id] = routes
    return routes
  }

  #memoryOf(index: number): Attempts {
    const generation = this.#lent[at.generation] as number
    const known = this.#attempts.get(index)
    if (known !== undefined && known.generation === generation) return known
    const target = this.#snapshot.targets[this.#lent[at.plan] as number] as Target
    const made = { generation, failed: [], wasReplayed: false, target }
    this.#attempts.set(index, made)
    return made
  }

  // Functions of the configuration.

  #askFunction(route: RunningRoute, path: string): Verdict {
    const id: ExchangeId = { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
    const request = new RequestView(this.#engine, id, this.#head.host, path)
    const act = (outcome: RequestOutcome) => this.#actOn(outcome, route, request)
    try {
      const outcome = route.config.onRequest?.(request)
      if (!isThenable(outcome)) return act(outcome)
      this.#resumeWhenSettled(outcome, id, act, (error) => this.#failFunction(error, route))
      return verdict.wait
    } catch (error) {
      return this.#failFunction(error, route)
    }
  }

  /** `lent` has moved on to other exchanges by then, so this one's facts are put back before its verdict is made. */
  #resumeWhenSettled(
    outcome: PromiseLike<RequestOutcome>,
    id: ExchangeId,
    act: (outcome: RequestOutcome) => Verdict,
    fail: (error: unknown) => Verdict,
  ): void {
    const facts = this.#lent.slice()
    const resume = (decide: () => Verdict) => {
      this.#lent.set(facts)
      this.#engine.resume(id.index, id.generation, decide())
    }
    const guarded = (decide: () => Verdict) => () => {
      try {
        return decide()
      } catch (error) {
        return fail(error)
      }
    }
    outcome.then(
      (settled) => resume(guarded(() => act(settled))),
      (error) => resume(() => fail(error)),
    )
  }

  #actOn(outcome: RequestOutcome, route: RunningRoute, request: Request): Verdict {
    if (outcome === undefined || outcome === null) return this.#act(route, request.path, false)
    if ('answer' in outcome) {
      const { status, body = '', headers = {} } = outcome.answer
      requireStatus(status)
      if (typeof body !== 'string') throw new TypeError('the body of an answer must be a string')
      const fields = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
      const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'text/plain; charset=utf-8'
      requireHeader('Content-Type', type)
      this.#engine.stageAnswer(status, headerLines(fields), type, body)
      return verdict.answer
    }
    if ('redirect' in outcome) {
      const { status = 308 } = outcome.redirect
      if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not the status of a redirect`)
      this.#engine.stageAnswer(status, headerLines([['Location', outcome.redirect.to]]), '', '')
      return verdict.answer
    }
    const target =
      route.action.kind === 'forward' ? route.action.targets.find((one) => one.upstream.config.name === outcome.upstream) : undefined
    if (target === undefined) throw new RangeError(`onRequest chose the upstream ${JSON.stringify(outcome.upstream)}, which does not exist`)
    return this.#forward(target, request.path, false)
  }

  #askPick(target: Target, path: string): number {
    const id = { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
    const { upstream } = target
    const { inFlight, stride, offset } = this.#snapshot.board
    const candidates = upstream.config.servers.map((server, i) => ({
      name: server.name,
      address: server.address.text,
      weight: server.weight,
      inFlight: inFlight[(upstream.slots[i] as number) * stride + offset] as number,
    }))
    try {
      const chosen = target.route.config.pick?.(new RequestView(this.#engine, id, this.#head.host, path), candidates)
      return chosen === undefined ? -1 : (upstream.slots[candidates.findIndex((one) => one.name === chosen.name)] ?? -1)
    } catch (error) {
      this.#report(error)
      return -1
    }
  }

  #failFunction(error: unknown, route: RunningRoute): Verdict {
    this.#report(error)
    return this.#answerStatus(500, route)
  }
}

function isThenable(outcome: unknown): outcome is PromiseLike<RequestOutcome> {
  return typeof (outcome as { then?: unknown } | null | undefined)?.then === 'function'
}

function statusWhenNobodyIsLeft(kind: FailureKind): number {
  if (kind === 'connect') return 503
  return kind === 'firstByteTimeout' || kind === 'connectTimeout' ? 504 : 502
}
