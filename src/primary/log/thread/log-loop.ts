/** Gives every job its turn: often while records come, seldom while none do. */
import type { Job } from './job.ts'

const BUSY_MS = 50
/** The longest pause; somebody waits for lines of a log, and nobody for what is only kept. */
const IDLE_MS = 250
const IDLE_LOG_MS = 100

export interface LoopOptions {
  jobs(): readonly Job[]
  /** A log or a live stream is read by somebody. */
  isWatched(): boolean
  /** After each round. */
  afterRound(): void
}

export class LogLoop {
  readonly #options: LoopOptions
  #timer: NodeJS.Timeout | undefined
  #next: NodeJS.Immediate | undefined
  #pauseMs = BUSY_MS
  #isStopped = false

  constructor(options: LoopOptions) {
    this.#options = options
  }

  /** Something has changed: a round comes at once. */
  wake(): void {
    if (this.#isStopped) return
    this.#cancel()
    this.#next = setImmediate(() => this.#round())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #round(): void {
    const outcomes = this.#options.jobs().map((job) => job.turn())
    this.#options.afterRound()
    this.#cancel()
    if (this.#isStopped) return
    if (outcomes.includes('more')) {
      this.#next = setImmediate(() => this.#round())
      return
    }
    this.#pauseMs = outcomes.includes('some') ? BUSY_MS : Math.min(this.#pauseMs * 2, this.#options.isWatched() ? IDLE_LOG_MS : IDLE_MS)
    this.#timer = setTimeout(() => this.#round(), this.#pauseMs)
  }

  #cancel(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#next)
  }
}
