/** The `onRequest` function of a route: what it returns, at once or later, or that it fails. */
import type { Request, RequestOutcome } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { isThenable } from '../shared/base/thenable.ts'
import type { ExchangeId, Verdict } from './exchange.ts'
import { stageAnswerOf, stageRedirectOf } from './forward/answers.ts'
import { whenSettled } from './late-verdict.ts'
import { RequestView } from './request-view.ts'
import type { RunningRoute, Target } from './snapshot.ts'
import type { Verdicts } from './verdicts.ts'

const { lent: at, termination, verdict } = abi

/** Where the story goes on after a function. */
export interface Continuation {
  /** The function left it to the route. */
  act(path: string): Verdict
  /** The function chose the upstream. */
  forward(target: Target, path: string): Verdict
}

export class RequestFunction {
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #verdicts: Verdicts
  readonly #report: (error: unknown) => void

  constructor(engine: Engine, verdicts: Verdicts, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#verdicts = verdicts
    this.#report = report
  }

  /** Asks it about the exchange `id`, which is the one in `lent`. */
  ask(route: RunningRoute, id: ExchangeId, host: string, path: string, onwards: Continuation): Verdict {
    const request = new RequestView(this.#engine, id, host, path)
    const act = (outcome: RequestOutcome) => this.#actOn(outcome, route, request, onwards)
    const fail = (error: unknown) => this.#fail(error, route)
    try {
      const outcome = route.config.onRequest?.(request)
      if (!isThenable(outcome)) return act(outcome)
      whenSettled(this.#lent, outcome, { act, fail, resume: (made) => this.#engine.resume(id.index, id.generation, made) })
      return verdict.wait
    } catch (error) {
      return fail(error)
    }
  }

  #actOn(outcome: RequestOutcome, route: RunningRoute, request: Request, onwards: Continuation): Verdict {
    if (outcome === undefined || outcome === null) return onwards.act(request.path)
    if ('answer' in outcome) {
      if (outcome.answer.status >= 400) this.#lent[at.termination] = termination.policyDenied
      stageAnswerOf(this.#engine, outcome.answer)
      return verdict.answer
    }
    if ('redirect' in outcome) {
      stageRedirectOf(this.#engine, outcome.redirect)
      return verdict.answer
    }
    const targets = route.action.kind === 'forward' ? route.action.targets : []
    const target = targets.find((one) => one.upstream.config.name === outcome.upstream)
    if (target === undefined) throw new RangeError(`onRequest chose the upstream ${JSON.stringify(outcome.upstream)}, which does not exist`)
    return onwards.forward(target, request.path)
  }

  #fail(error: unknown, route: RunningRoute): Verdict {
    this.#report(error)
    return this.#verdicts.answerStatus(500, termination.functionFailed, route)
  }
}
