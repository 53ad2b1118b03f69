/**
 * THE STORY of one HTTP exchange, read first. C++ owns the bytes and calls here at three moments: `decide` when a head is
 * complete, `afterFailure` when an attempt at a server failed, `finished` where somebody listens. C++ twin: native/http/decider.h.
 *
 *     accept -> parse -> ROUTE -> PICK -> forward -> OBSERVE
 */
import type { Request, RequestOutcome } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { machineMs } from '../shared/base/clock.ts'
import { isThenable } from '../shared/base/thenable.ts'
import { Challenges } from './challenge-answer.ts'
import type { ExchangeId, Verdict } from './exchange.ts'
import { stageAnswerOf, stageRedirectOf, stageStatus } from './forward/answers.ts'
import { statusWhenNobodyIsLeft, terminationOf } from './forward/endings.ts'
import { afterFailure, type FailedAttempt, type FailureKind } from './forward/retry.ts'
import { whenSettled } from './late-verdict.ts'
import { CurrentHead } from './lent-head.ts'
import { DISTRUST_MS, isOwnShortage } from './pick/distrust.ts'
import { NOTHING_EXCLUDED } from './pick/eligible.ts'
import { RequestView } from './request-view.ts'
import { normalizePath } from './route/normalize-path.ts'
import { applyRewrite, targetOf } from './route/rewrite.ts'
import { ServerChoice } from './server-choice.ts'
import { noteHeld, type Patience, type PlaceToWait, placeToBeHeld, placeToWait } from './server-wait.ts'
import type { RunningListener, RunningRoute, Snapshot, Target } from './snapshot.ts'

const { lent: at, headFlag, termination, verdict } = abi
const failureKinds = Object.keys(abi.failure) as FailureKind[]
/** How long a retry waits for the budget. What does not get its turn by then is an outage, and more retries would prolong it. */
const LONGEST_TURN_MS = 1_000

/** What is remembered of an exchange between its attempts, and while it waits. */
interface Attempts extends Patience {
  readonly id: ExchangeId
  readonly target: Target
  /** As routed, for hashing. */
  readonly path: string
  failed: number[]
  /** Attempts that failed, also those before it was held. */
  failures: number
  wasReplayed: boolean
  /** Counts in its upstream's budget of retries. */
  isRetrying: boolean
}

export class RequestLife {
  /** What ACME servers get, before all routes. */
  readonly challenges = new Challenges()
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #head: CurrentHead
  readonly #report: (error: unknown) => void
  #snapshot: Snapshot
  /** By exchange index; an entry of another generation is of an exchange that is over. */
  readonly #attempts = new Map<number, Attempts>()
  readonly #choice: ServerChoice

  constructor(engine: Engine, snapshot: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#head = new CurrentHead(engine)
    this.#snapshot = snapshot
    this.#report = report
    this.#choice = new ServerChoice(engine, this.#head, snapshot, report)
  }

  /** From now on decisions are made on this snapshot. */
  serve(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** A request head is complete: route it, pick a server. `path` as sent, without the query. */
  decide(sentPath: string): Verdict {
    const proof = this.challenges.isEmpty ? undefined : this.#proof(sentPath)
    if (proof !== undefined) return proof
    const flags = this.#lent[at.flags] as number
    let path = sentPath
    if (flags & headFlag.pathNeedsNormalizing) {
      const normal = normalizePath(sentPath)
      if (normal === null) return this.#answerStatus(400, termination.badRequest, null)
      path = normal
    }
    const listener = this.#snapshot.listeners[this.#lent[at.listener] as number] as RunningListener
    const found = this.#hostRoutes(listener).find(path === '' ? '/' : path, this.#head)
    if (found === undefined) return this.#answerStatus(404, termination.noRoute, null)
    const route = listener.routes[found.index] as RunningRoute
    this.#lent[at.route] = route.row
    if (route.config.onRequest !== undefined) return this.#askFunction(route, path)
    return this.#act(route, path, path !== sentPath)
  }

  /** An attempt failed before a response began: another one, or an answer. Facts are in `lent`. */
  afterFailure(): Verdict {
    const failedSlot = this.#lent[at.failedServer] as number
    const memory = this.#memoryOf(this.#lent[at.index] as number)
    if (memory === null) return this.#answerStatus(502, termination.upstreamReset, null)
    const kind = failureKinds[this.#lent[at.reason] as number] as FailureKind
    const flags = this.#lent[at.flags] as number
    const { upstream, retry } = memory.target
    // A shortage of our own says nothing about the server.
    if (kind === 'connect' && !isOwnShortage(this.#lent[at.detail] as number))
      upstream.picker.distrust(failedSlot, (this.#lent[at.nowMs] as number) + DISTRUST_MS)
    const failed = {
      kind,
      isUnsent: (flags & headFlag.unsentIsCertain) !== 0,
      isReused: (flags & headFlag.reusedConnection) !== 0,
      isIdempotent: (flags & headFlag.idempotent) !== 0,
      isReplayable: (flags & headFlag.replayable) !== 0,
      wasReplayed: memory.wasReplayed,
      failures: memory.failed.length + 1,
    }
    const next = afterFailure(failed, retry)
    if (next.do === 'again') {
      memory.wasReplayed = true
      return this.#forwardTo(failedSlot, memory.target, true)
    }
    memory.failed.push(failedSlot)
    // The next server may have closed its pooled connection, too.
    memory.wasReplayed = false
    memory.failures++
    if (next.do === 'pass') return verdict.pass
    if (next.do === 'answer') {
      const mayHold = failed.isReplayable && (next.status === 503 || this.#isLastLost(memory, failed))
      return (mayHold ? this.#hold(memory) : null) ?? this.#giveUp(memory, next.status, terminationOf(failed))
    }
    return this.#tryAnother(memory, failed)
  }

  /** The server is late: another one is asked beside it, if the budget of retries has room. Facts are in `lent`. */
  hedge(): Verdict {
    const lateSlot = this.#lent[at.failedServer] as number
    const memory = this.#memoryOf(this.#lent[at.index] as number)
    if (memory === null || !memory.target.upstream.mayRetry(this.#lent[at.nowMs] as number)) return verdict.abort
    const slot = this.#choice.pick(memory.target, memory.path, [...memory.failed, lateSlot])
    if (slot < 0) return verdict.abort
    this.#beginRetry(memory, false)
    return this.#forwardTo(slot, memory.target, false)
  }

  /** An exchange ended that waited or had several attempts. */
  finished(): Verdict {
    const index = this.#lent[at.index] as number
    const memory = this.#attempts.get(index)
    if (memory === undefined || memory.id.generation !== this.#lent[at.generation]) return verdict.answer
    this.#attempts.delete(index)
    this.#endRetry(memory)
    memory.target.upstream.queue?.leave('exchange', memory.id)
    memory.target.upstream.turns.leave('exchange', memory.id)
    memory.target.upstream.hold?.leave('exchange', memory.id)
    return verdict.answer
  }

  /** The answer to an ACME server; undefined: nobody is to be answered. */
  #proof(path: string): Verdict | undefined {
    const answer = this.#lent[at.method] === abi.method.GET ? this.challenges.answer(path) : undefined
    if (answer === undefined) return undefined
    this.#engine.stageAnswer(200, '', 'text/plain', answer)
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
    const { upstream } = target
    if (upstream.pass < 1 && Math.random() >= upstream.pass) return this.#answerStatus(503, termination.breakerOpen, target.route)
    const chosen = config.pick === undefined ? -1 : this.#choice.ask(target, path)
    if (chosen >= 0) return this.#forwardTo(chosen, target, false)
    const slot = this.#choice.pick(target, path, NOTHING_EXCLUDED)
    if (slot >= 0) return this.#forwardTo(slot, target, false)
    const memory = this.#remember(target, path)
    return this.#wait(memory) ?? this.#giveUp(memory, 503, this.#choice.whyNobody(memory.target))
  }

  #forwardTo(slot: number, target: Target, isFresh: boolean): Verdict {
    this.#lent[at.server] = slot
    this.#lent[at.plan] = target.plan
    this.#lent[at.freshConnection] = isFresh ? 1 : 0
    target.upstream.forwarded()
    return verdict.forward
  }

  // Further attempts, and waiting for a server.

  #tryAnother(memory: Attempts, failed: FailedAttempt): Verdict {
    const { target } = memory
    const now = this.#lent[at.nowMs] as number
    const status = failed.kind === 'busy' ? 503 : statusWhenNobodyIsLeft(failed.kind)
    // A response is here: it is better than an answer of ours.
    const giveUp = (reason = terminationOf(failed)) => (failed.kind === 'status' ? verdict.pass : this.#giveUp(memory, status, reason))
    // What reached no server does no harm when it is sent again; the rest has to fit into the budget.
    const isFree = failed.kind === 'connect' || failed.kind === 'tls' || failed.kind === 'busy' || failed.isUnsent
    // Who lost a race for room has asked nobody yet.
    const isLate = failed.kind !== 'busy' && (this.#lent[at.ageMs] as number) > target.retry.maxMs
    if (isLate) return giveUp()
    if (!isFree && !memory.isRetrying && !target.upstream.mayRetry(now)) {
      return failed.kind === 'status' ? verdict.pass : (this.#awaitTurn(memory, failed) ?? giveUp(termination.retryBudget))
    }
    this.#beginRetry(memory, isFree)
    const slot = this.#choice.pick(target, memory.path, memory.failed)
    const isFresh = failed.kind !== 'connect' && failed.kind !== 'connectTimeout' && failed.kind !== 'busy'
    if (slot >= 0) return this.#forwardTo(slot, target, isFresh)
    if (failed.kind === 'status') return giveUp()
    if (failed.kind === 'busy') {
      memory.failed.pop()
      this.#choice.context.excluded = memory.failed
      return this.#wait(memory) ?? giveUp()
    }
    const why = target.upstream.picker.why(this.#choice.context)
    if (why !== 'excluded') return this.#wait(memory) ?? giveUp()
    return this.#backOff(memory, failed) ?? this.#hold(memory) ?? giveUp()
  }

  /**
   * Whether no server is left after this one broke off: they may all have gone at the same time. Held once; a request that ends servers
   * is not sent to all of them for ever.
   */
  #isLastLost(memory: Attempts, failed: FailedAttempt): boolean {
    if (failed.kind !== 'closed' && failed.kind !== 'reset') return false
    if (!failed.isUnsent && (!failed.isIdempotent || memory.holdUntilMs !== 0)) return false
    return this.#choice.pick(memory.target, memory.path, memory.failed) < 0
  }

  /** The budget of retries is used up: goes on when one of them is over. null: too many wait. */
  #awaitTurn(memory: Attempts, failed: FailedAttempt): Verdict | null {
    const { upstream, retry } = memory.target
    const facts = this.#lent.slice()
    const entered = upstream.turns.enter({
      id: memory.id,
      kind: 'exchange',
      deadlineMs: performance.now() + Math.min(LONGEST_TURN_MS, retry.maxMs - (this.#lent[at.ageMs] as number)),
      proceed: () => {
        if (!upstream.mayRetry(machineMs() & 0x7fffffff)) return false
        this.#resume(memory, facts, () => this.#tryAnother(memory, failed))
        return true
      },
      giveUp: () => this.#resume(memory, facts, () => this.#giveUp(memory, statusWhenNobodyIsLeft(failed.kind), termination.retryBudget)),
    })
    return entered ? verdict.wait : null
  }

  /** Every server was tried. The same ones again, after a while of a random length (full jitter), so that many do not come at once. */
  #backOff(memory: Attempts, failed: FailedAttempt): Verdict | null {
    const { retry } = memory.target
    if (memory.failures > retry.attempts) return null
    const most = Math.min(retry.backoff.maxMs, retry.backoff.baseMs * 2 ** (memory.failures - 1))
    const facts = this.#lent.slice()
    setTimeout(
      () => {
        this.#resume(memory, facts, () => {
          memory.failed = []
          const slot = this.#choice.pick(memory.target, memory.path, NOTHING_EXCLUDED)
          if (slot >= 0) return this.#forwardTo(slot, memory.target, true)
          return this.#wait(memory) ?? this.#giveUp(memory, statusWhenNobodyIsLeft(failed.kind), terminationOf(failed))
        })
      },
      Math.ceil(Math.random() * most),
    )
    return verdict.wait
  }

  /** Waits for room, or for a server at all. null: it may not. */
  #wait(memory: Attempts): Verdict | null {
    return this.#enter(placeToWait(memory.target.upstream, this.#choice.context, memory), memory)
  }

  #hold(memory: Attempts): Verdict | null {
    return this.#enter(placeToBeHeld(memory.target.upstream, memory), memory)
  }

  #enter(place: PlaceToWait | null, memory: Attempts): Verdict | null {
    if (place === null) return null
    // Who waits asks nobody, and must not keep others from their retry.
    this.#endRetry(memory)
    const facts = this.#lent.slice()
    const entered = place.room.enter({
      id: memory.id,
      kind: 'exchange',
      deadlineMs: place.deadlineMs,
      proceed: () => {
        this.#lent.set(facts)
        this.#lent[at.nowMs] = machineMs() & 0x7fffffff
        memory.failed = []
        const slot = this.#choice.pick(memory.target, memory.path, NOTHING_EXCLUDED)
        if (slot < 0) return false
        noteHeld(memory.target.upstream, memory)
        this.#engine.resume(memory.id.index, memory.id.generation, this.#forwardTo(slot, memory.target, memory.failures > 0))
        return true
      },
      giveUp: () => {
        noteHeld(memory.target.upstream, memory)
        const reason = place.room === memory.target.upstream.queue ? termination.queueTimeout : termination.holdTimeout
        this.#resume(memory, facts, () => this.#giveUp(memory, 503, reason))
      },
    })
    return entered ? verdict.wait : null
  }

  #resume(memory: Attempts, facts: Int32Array, decide: () => Verdict): void {
    if (this.#attempts.get(memory.id.index) !== memory) return
    this.#lent.set(facts)
    this.#lent[at.nowMs] = machineMs() & 0x7fffffff
    this.#engine.resume(memory.id.index, memory.id.generation, decide())
  }

  #beginRetry(memory: Attempts, isFree: boolean): void {
    if (isFree || memory.isRetrying) return
    memory.isRetrying = true
    memory.target.upstream.retries++
  }

  #endRetry(memory: Attempts): void {
    if (!memory.isRetrying) return
    memory.isRetrying = false
    memory.target.upstream.endRetry()
  }

  #giveUp(memory: Attempts, status: number, reason: number): Verdict {
    this.#endRetry(memory)
    return this.#answerStatus(status, reason, memory.target.route)
  }

  #answerStatus(status: number, reason: number, route: RunningRoute | null): Verdict {
    this.#lent[at.termination] = reason
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

  /** null: its plan is of a config that is long gone. */
  #memoryOf(index: number): Attempts | null {
    const known = this.#attempts.get(index)
    if (known !== undefined && known.id.generation === this.#lent[at.generation]) return known
    const target = this.#snapshot.target(this.#lent[at.plan] as number)
    if (target === undefined) return null
    const sent = this.#engine.field(index, this.#id().generation, 'path') ?? '/'
    return this.#remember(target, normalizePath(sent) ?? sent)
  }

  #remember(target: Target, path: string): Attempts {
    const id = this.#id()
    const known = this.#attempts.get(id.index)
    if (known !== undefined && known.id.generation === id.generation) return known
    const made: Attempts = {
      id,
      target,
      path,
      failed: [],
      failures: 0,
      wasReplayed: false,
      isRetrying: false,
      holdUntilMs: 0,
      queueUntilMs: 0,
    }
    this.#attempts.set(id.index, made)
    return made
  }

  #id(): ExchangeId {
    return { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
  }

  // Functions of the configuration.

  #askFunction(route: RunningRoute, path: string): Verdict {
    const id = this.#id()
    const request = new RequestView(this.#engine, id, this.#head.host, path)
    const act = (outcome: RequestOutcome) => this.#actOn(outcome, route, request)
    const fail = (error: unknown) => this.#failFunction(error, route)
    try {
      const outcome = route.config.onRequest?.(request)
      if (!isThenable(outcome)) return act(outcome)
      whenSettled(this.#lent, outcome, { act, fail, resume: (made) => this.#engine.resume(id.index, id.generation, made) })
      return verdict.wait
    } catch (error) {
      return fail(error)
    }
  }

  #actOn(outcome: RequestOutcome, route: RunningRoute, request: Request): Verdict {
    if (outcome === undefined || outcome === null) return this.#act(route, request.path, false)
    if ('answer' in outcome) {
      if (outcome.answer.status >= 400) this.#lent[at.termination] = termination.policyDenied
      stageAnswerOf(this.#engine, outcome.answer)
      return verdict.answer
    }
    if ('redirect' in outcome) {
      stageRedirectOf(this.#engine, outcome.redirect)
      return verdict.answer
    }
    const target =
      route.action.kind === 'forward' ? route.action.targets.find((one) => one.upstream.config.name === outcome.upstream) : undefined
    if (target === undefined) throw new RangeError(`onRequest chose the upstream ${JSON.stringify(outcome.upstream)}, which does not exist`)
    return this.#forward(target, request.path, false)
  }

  #failFunction(error: unknown, route: RunningRoute): Verdict {
    this.#report(error)
    return this.#answerStatus(500, termination.functionFailed, route)
  }
}
