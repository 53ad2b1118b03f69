/**
 * The second chapter of the story: an exchange that found no server, or failed at one, tries another, waits for its turn, for room or
 * for a server at all, or gives up.
 */
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { machineMs } from '../shared/base/clock.ts'
import type { AttemptBook, Attempts } from './attempts.ts'
import type { Verdict } from './exchange.ts'
import { statusWhenNobodyIsLeft, terminationOf } from './forward/endings.ts'
import type { FailedAttempt } from './forward/retry.ts'
import { NOTHING_EXCLUDED } from './pick/eligible.ts'
import type { ServerChoice } from './server-choice.ts'
import { noteHeld, type PlaceToWait, placeToBeHeld, placeToWait } from './server-wait.ts'
import type { Verdicts } from './verdicts.ts'

const { lent: at, termination, verdict } = abi
/** How long a retry waits for the budget. What does not get its turn by then is an outage, and more retries would prolong it. */
const LONGEST_TURN_MS = 1_000

export class FurtherAttempts {
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #choice: ServerChoice
  readonly #book: AttemptBook
  readonly #verdicts: Verdicts

  constructor(engine: Engine, choice: ServerChoice, book: AttemptBook, verdicts: Verdicts) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#choice = choice
    this.#book = book
    this.#verdicts = verdicts
  }

  /** An attempt failed and may be repeated at another server. */
  tryAnother(memory: Attempts, failed: FailedAttempt): Verdict {
    const { target } = memory
    const status = failed.kind === 'busy' ? 503 : statusWhenNobodyIsLeft(failed.kind)
    // A response is here: it is better than an answer of ours.
    const giveUp = (reason = terminationOf(failed)) => (failed.kind === 'status' ? verdict.pass : this.giveUp(memory, status, reason))
    // What reached no server does no harm when it is sent again; the rest has to fit into the budget.
    const isFree = failed.kind === 'connect' || failed.kind === 'tls' || failed.kind === 'busy' || failed.isUnsent
    // Who lost a race for room has asked nobody yet.
    const isLate = failed.kind !== 'busy' && (this.#lent[at.ageMs] as number) > target.retry.maxMs
    if (isLate) return giveUp()
    if (!isFree && !memory.isRetrying && !target.upstream.mayRetry(this.#lent[at.nowMs] as number)) {
      return failed.kind === 'status' ? verdict.pass : (this.#awaitTurn(memory, failed) ?? giveUp(termination.retryBudget))
    }
    this.beginRetry(memory, isFree)
    const slot = this.#choice.pick(target, memory.path, memory.failed)
    const isFresh = failed.kind !== 'connect' && failed.kind !== 'connectTimeout' && failed.kind !== 'busy'
    if (slot >= 0) return this.#verdicts.forwardTo(slot, target, isFresh)
    if (failed.kind === 'status') return giveUp()
    if (failed.kind === 'busy') {
      memory.failed.pop()
      this.#choice.context.excluded = memory.failed
      return this.wait(memory) ?? giveUp()
    }
    const why = target.upstream.picker.why(this.#choice.context)
    if (why !== 'excluded') return this.wait(memory) ?? giveUp()
    return this.#backOff(memory, failed) ?? this.hold(memory) ?? giveUp()
  }

  /**
   * Whether no server is left after this one broke off: they may all have gone at the same time. Held once; a request that ends servers
   * is not sent to all of them for ever.
   */
  isLastLost(memory: Attempts, failed: FailedAttempt): boolean {
    if (failed.kind !== 'closed' && failed.kind !== 'reset') return false
    if (!failed.isUnsent && (!failed.isIdempotent || memory.holdUntilMs !== 0)) return false
    return this.#choice.pick(memory.target, memory.path, memory.failed) < 0
  }

  /** Waits for room, or for a server at all. null: it may not. */
  wait(memory: Attempts): Verdict | null {
    return this.#enter(placeToWait(memory.target.upstream, this.#choice.context, memory), memory)
  }

  /** Waits for a server at all. null: it may not. */
  hold(memory: Attempts): Verdict | null {
    return this.#enter(placeToBeHeld(memory.target.upstream, memory), memory)
  }

  giveUp(memory: Attempts, status: number, reason: number): Verdict {
    this.endRetry(memory)
    return this.#verdicts.answerStatus(status, reason, memory.target.route)
  }

  /** From now on it counts in the budget of retries, unless it costs nobody anything. */
  beginRetry(memory: Attempts, isFree: boolean): void {
    if (isFree || memory.isRetrying) return
    memory.isRetrying = true
    memory.target.upstream.retries++
  }

  endRetry(memory: Attempts): void {
    if (!memory.isRetrying) return
    memory.isRetrying = false
    memory.target.upstream.endRetry()
  }

  /** The exchange has ended. */
  leave(memory: Attempts): void {
    this.endRetry(memory)
    const { queue, turns, hold } = memory.target.upstream
    for (const room of [queue, turns, hold]) room?.leave('exchange', memory.id)
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
        this.#resume(memory, facts, () => this.tryAnother(memory, failed))
        return true
      },
      giveUp: () => this.#resume(memory, facts, () => this.giveUp(memory, statusWhenNobodyIsLeft(failed.kind), termination.retryBudget)),
    })
    return entered ? verdict.wait : null
  }

  /** Every server was tried. The same ones again, after a while of a random length (full jitter), so that many do not come at once. */
  #backOff(memory: Attempts, failed: FailedAttempt): Verdict | null {
    const { retry } = memory.target
    if (memory.failures > retry.attempts) return null
    const most = Math.min(retry.backoff.maxMs, retry.backoff.baseMs * 2 ** (memory.failures - 1))
    const facts = this.#lent.slice()
    const again = () => {
      memory.failed = []
      const slot = this.#choice.pick(memory.target, memory.path, NOTHING_EXCLUDED)
      if (slot >= 0) return this.#verdicts.forwardTo(slot, memory.target, true)
      return this.wait(memory) ?? this.giveUp(memory, statusWhenNobodyIsLeft(failed.kind), terminationOf(failed))
    }
    setTimeout(() => this.#resume(memory, facts, again), Math.ceil(Math.random() * most))
    return verdict.wait
  }

  #enter(place: PlaceToWait | null, memory: Attempts): Verdict | null {
    if (place === null) return null
    // Who waits asks nobody, and must not keep others from their retry.
    this.endRetry(memory)
    const facts = this.#lent.slice()
    const { upstream } = memory.target
    const entered = place.room.enter({
      id: memory.id,
      kind: 'exchange',
      deadlineMs: place.deadlineMs,
      proceed: () => this.#proceed(memory, facts),
      giveUp: () => {
        noteHeld(upstream, memory)
        const reason = place.room === upstream.queue ? termination.queueTimeout : termination.holdTimeout
        this.#resume(memory, facts, () => this.giveUp(memory, 503, reason))
      },
    })
    return entered ? verdict.wait : null
  }

  /** There may be a server for who waits. False: there is none, it waits on. */
  #proceed(memory: Attempts, facts: Int32Array): boolean {
    this.#bringBack(facts)
    memory.failed = []
    const slot = this.#choice.pick(memory.target, memory.path, NOTHING_EXCLUDED)
    if (slot < 0) return false
    noteHeld(memory.target.upstream, memory)
    const forward = this.#verdicts.forwardTo(slot, memory.target, memory.failures > 0)
    this.#engine.resume(memory.id.index, memory.id.generation, forward)
    return true
  }

  #resume(memory: Attempts, facts: Int32Array, decide: () => Verdict): void {
    if (!this.#book.isCurrent(memory)) return
    this.#bringBack(facts)
    this.#engine.resume(memory.id.index, memory.id.generation, decide())
  }

  /** `lent` has moved on to others: these are the facts of when it began to wait. */
  #bringBack(facts: Int32Array): void {
    this.#lent.set(facts)
    this.#lent[at.nowMs] = machineMs() & 0x7fffffff
  }
}
