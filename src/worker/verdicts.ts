/** Verdicts with what C++ needs to carry them out, left in `lent`. */
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import type { Verdict } from './exchange.ts'
import { stageStatus } from './forward/answers.ts'
import type { RunningRoute, Target } from './snapshot.ts'

const { lent: at, verdict } = abi

export class Verdicts {
  readonly #engine: Engine
  readonly #lent: Int32Array

  constructor(engine: Engine) {
    this.#engine = engine
    this.#lent = engine.lent
  }

  /** To the server in this slot; `isFresh`: on a connection that nobody has used before. */
  forwardTo(slot: number, target: Target, isFresh: boolean): Verdict {
    this.#lent[at.server] = slot
    this.#lent[at.plan] = target.plan
    this.#lent[at.freshConnection] = isFresh ? 1 : 0
    target.upstream.forwarded()
    return verdict.forward
  }

  /** An answer of the balancer's own; `reason` of `abi.termination`. */
  answerStatus(status: number, reason: number, route: RunningRoute | null): Verdict {
    this.#lent[at.termination] = reason
    stageStatus(this.#engine, status, route?.config.errorPages ?? {})
    return verdict.answer
  }
}
