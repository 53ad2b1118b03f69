/** What one client saw, request by request. Times in milliseconds of `performance.now()`. Pure. */
import type { RoundLog } from './round-log.ts'

/**
 * A connection has one request at a time. Requests that begin in the measured part count, whenever they are answered: so what is slow at
 * the end is not left out.
 */
export class ClientLog {
  readonly #log: RoundLog
  #begunAt: number | null = null
  #isMeasured = false
  #answers = 0

  constructor(log: RoundLog) {
    this.#log = log
  }

  /** Whether the request that was begun last counts. */
  get isMeasured(): boolean {
    return this.#isMeasured
  }

  /** It takes part: it has had an answer. */
  get isWarm(): boolean {
    return this.#answers > 0
  }

  /** The first request never counts: autocannon makes its head before it is told of it. */
  begin(now: number): void {
    // The connection was closed without an answer and is open again.
    this.fail()
    this.#begunAt = now
    this.#isMeasured = this.isWarm && this.#log.covers(now)
    if (this.#isMeasured) this.#log.begun++
  }

  answer(status: number, now: number): void {
    const begunAt = this.#begunAt
    this.#begunAt = null
    this.#answers++
    if (begunAt === null || !this.#isMeasured) return
    if (status >= 500) this.#log.fail(begunAt)
    else this.#log.answer(begunAt, now - begunAt)
  }

  /** There will be no answer. */
  fail(): void {
    if (this.#begunAt !== null && this.#isMeasured) this.#log.fail(this.#begunAt)
    this.#begunAt = null
  }
}
