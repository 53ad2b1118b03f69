/**
 * THE STORY of one HTTP exchange, read first. C++ owns the bytes and calls here at four moments: `decide` when a head is complete,
 * `afterFailure` when an attempt at a server failed, `hedge` when a server is late, `finished` where somebody listens.
 * C++ twin: native/http/decider.h. The chapter about further attempts and about waiting is further-attempts.ts.
 *
 *     accept -> parse -> ROUTE -> PICK -> forward -> OBSERVE
 */
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { AttemptBook } from './attempts.ts'
import { Challenges } from './challenge-answer.ts'
import type { Verdict } from './exchange.ts'
import { terminationOf } from './forward/endings.ts'
import { afterFailure, type FailureKind } from './forward/retry.ts'
import { FurtherAttempts } from './further-attempts.ts'
import { CurrentHead } from './lent-head.ts'
import { DISTRUST_MS, isOwnShortage } from './pick/distrust.ts'
import { NOTHING_EXCLUDED } from './pick/eligible.ts'
import { RequestFunction } from './request-function.ts'
import { normalizePath } from './route/normalize-path.ts'
import { applyRewrite, targetOf } from './route/rewrite.ts'
import { ServerChoice } from './server-choice.ts'
import type { RunningListener, RunningRoute, Snapshot, Target } from './snapshot.ts'
import { Verdicts } from './verdicts.ts'

const { lent: at, headFlag, termination, verdict } = abi
const failureKinds = Object.keys(abi.failure) as FailureKind[]

export class RequestLife {
  /** What ACME servers get, before all routes. */
  readonly challenges = new Challenges()
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #head: CurrentHead
  readonly #verdicts: Verdicts
  readonly #choice: ServerChoice
  readonly #book: AttemptBook
  readonly #further: FurtherAttempts
  readonly #function: RequestFunction
  #snapshot: Snapshot

  constructor(engine: Engine, snapshot: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#head = new CurrentHead(engine)
    this.#verdicts = new Verdicts(engine)
    this.#choice = new ServerChoice(engine, this.#head, snapshot, report)
    this.#book = new AttemptBook(engine)
    this.#further = new FurtherAttempts(engine, this.#choice, this.#book, this.#verdicts)
    this.#function = new RequestFunction(engine, this.#verdicts, report)
    this.#snapshot = snapshot
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
      if (normal === null) return this.#verdicts.answerStatus(400, termination.badRequest, null)
      path = normal
    }
    const listener = this.#snapshot.listeners[this.#lent[at.listener] as number] as RunningListener
    const found = this.#hostRoutes(listener).find(path === '' ? '/' : path, this.#head)
    if (found === undefined) return this.#verdicts.answerStatus(404, termination.noRoute, null)
    const route = listener.routes[found.index] as RunningRoute
    this.#lent[at.route] = route.row
    if (route.config.onRequest !== undefined) return this.#askFunction(route, path)
    return this.#act(route, path, path !== sentPath)
  }

  /** An attempt failed before a response began: another one, or an answer. Facts are in `lent`. */
  afterFailure(): Verdict {
    const failedSlot = this.#lent[at.failedServer] as number
    const memory = this.#book.current(this.#snapshot)
    if (memory === null) return this.#verdicts.answerStatus(502, termination.upstreamReset, null)
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
      return this.#verdicts.forwardTo(failedSlot, memory.target, true)
    }
    memory.failed.push(failedSlot)
    // The next server may have closed its pooled connection, too.
    memory.wasReplayed = false
    memory.failures++
    if (next.do === 'pass') return verdict.pass
    if (next.do === 'answer') {
      const mayHold = failed.isReplayable && (next.status === 503 || this.#further.isLastLost(memory, failed))
      return (mayHold ? this.#further.hold(memory) : null) ?? this.#further.giveUp(memory, next.status, terminationOf(failed))
    }
    return this.#further.tryAnother(memory, failed)
  }

  /** The server is late: another one is asked beside it, if the budget of retries has room. Facts are in `lent`. */
  hedge(): Verdict {
    const lateSlot = this.#lent[at.failedServer] as number
    const memory = this.#book.current(this.#snapshot)
    if (memory === null || !memory.target.upstream.mayRetry(this.#lent[at.nowMs] as number)) return verdict.abort
    const slot = this.#choice.pick(memory.target, memory.path, [...memory.failed, lateSlot])
    if (slot < 0) return verdict.abort
    this.#further.beginRetry(memory, false)
    return this.#verdicts.forwardTo(slot, memory.target, false)
  }

  /** An exchange ended that waited or had several attempts. */
  finished(): Verdict {
    const memory = this.#book.forget()
    if (memory !== undefined) this.#further.leave(memory)
    return verdict.answer
  }

  /** The answer to an ACME server; undefined: nobody is to be answered. */
  #proof(path: string): Verdict | undefined {
    const answer = this.#lent[at.method] === abi.method.GET ? this.challenges.answer(path) : undefined
    if (answer === undefined) return undefined
    this.#engine.stageAnswer(200, '', 'text/plain', answer)
    return verdict.answer
  }

  #hostRoutes(listener: RunningListener) {
    const id = this.#lent[at.host] as number
    const known = id >= 0 ? listener.hosts[id] : undefined
    if (known !== undefined) return known
    const routes = listener.router.hostRoutes(this.#head.host)
    if (id >= 0) listener.hosts[id] = routes
    return routes
  }

  #askFunction(route: RunningRoute, path: string): Verdict {
    return this.#function.ask(route, this.#book.currentId(), this.#head.host, path, {
      act: (asked) => this.#act(route, asked, false),
      forward: (target, asked) => this.#forward(target, asked, false),
    })
  }

  /** What the route says is to be done. */
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
    const { route, upstream } = target
    if (isChanged || route.rewrite.kind === 'dynamic') this.#retarget(route, path)
    if (upstream.pass < 1 && Math.random() >= upstream.pass) return this.#verdicts.answerStatus(503, termination.breakerOpen, route)
    const chosen = route.config.pick === undefined ? -1 : this.#choice.ask(target, path)
    if (chosen >= 0) return this.#verdicts.forwardTo(chosen, target, false)
    const slot = this.#choice.pick(target, path, NOTHING_EXCLUDED)
    if (slot >= 0) return this.#verdicts.forwardTo(slot, target, false)
    const memory = this.#book.remember(target, path)
    return this.#further.wait(memory) ?? this.#further.giveUp(memory, 503, this.#choice.whyNobody(target))
  }

  #retarget(route: RunningRoute, path: string): void {
    const target = targetOf(applyRewrite(route.rewrite, path), this.#head.query)
    this.#engine.setTarget(this.#lent[at.index] as number, this.#lent[at.generation] as number, target)
  }
}
