/** Spans that wait for the collector: bounded, one batch at a time. What it does not take is lost, and counted. */

export interface SpanQueueOptions<S> {
  /** Calls back once, with whether the collector has taken them. */
  send(spans: S[], done: (isTaken: boolean) => void): void
  /** A batch was not taken. */
  failed(): void
}

const MOST_WAITING = 2_048
const BATCH = 512
const PAUSE_MS = 1_000

export class SpanQueue<S> {
  sent = 0
  lost = 0
  readonly #options: SpanQueueOptions<S>
  #waiting: S[] = []
  /** How many are on their way. */
  #sending = 0
  #isOver = false
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(options: SpanQueueOptions<S>) {
    this.#options = options
  }

  add(span: S): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.lost++
      return
    }
    this.#waiting.push(span)
    if (this.#waiting.length >= BATCH) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS)
  }

  /** Sends what waits, for so long; what is left then is lost. */
  async flush(withinMs: number): Promise<void> {
    const all = new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#send()
    let late: NodeJS.Timeout | undefined
    await Promise.race([all, new Promise((resolve) => (late = setTimeout(resolve, withinMs)))])
    clearTimeout(late)
    clearTimeout(this.#timer)
    this.lost += this.#waiting.length + this.#sending
    this.#waiting = []
    this.#isOver = true
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#sending > 0) return
    if (this.#waiting.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    const batch = this.#waiting.splice(0, BATCH)
    this.#sending = batch.length
    this.#options.send(batch, (isTaken) => this.#sent(batch.length, isTaken))
  }

  #sent(count: number, isTaken: boolean): void {
    // It was given up, and is counted.
    if (this.#isOver) return
    this.#sending = 0
    if (isTaken) this.sent += count
    else {
      this.lost += count
      this.#options.failed()
    }
    if (this.#waiting.length >= BATCH || this.#idle.length > 0) this.#send()
    else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS)
  }
}
