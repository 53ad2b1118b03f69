import { type Answer, isEmpty, type NameKind } from './answer.ts'
import type { Clock } from './clock.ts'
import { codeOf, type Resolve } from './resolver.ts'
import { answered, failed, hasChanged, newWatch, type Watch } from './watch.ts'

export interface WatcherOptions {
  kind: NameKind
  name: string
  resolve: Resolve
  clock: Clock
  /** In [0, 1). */
  random: () => number
  /** The name means something else than before; never called for another order. */
  changed(answer: Answer): void
  log(line: string): void
}

/** Looks one name up again and again, one look at a time, from `start` to `stop`. */
export class Watcher {
  /** Settles with the end of the first look, whatever it brought. */
  readonly first: Promise<void>
  readonly #options: WatcherOptions
  readonly #looked: () => void
  #watch: Watch
  #takeBack: () => void = () => {}
  #isStopped = false

  constructor(options: WatcherOptions) {
    const { promise, resolve } = withResolver()
    this.#options = options
    this.first = promise
    this.#looked = resolve
    this.#watch = newWatch(options.clock.now())
  }

  /** The last good answer. */
  get answer(): Answer | null {
    return this.#watch.answer
  }

  start(): void {
    void this.#look()
  }

  /** No look begins and nothing is called any more, not even by a look that is on its way. */
  stop(): void {
    this.#isStopped = true
    this.#takeBack()
    this.#looked()
  }

  async #look(): Promise<void> {
    const found = await this.#ask()
    if (typeof found === 'string') this.#fail(found)
    else this.#accept(found)
  }

  /** The answer, or why there is none. */
  async #ask(): Promise<Answer | string> {
    const { resolve, kind, name } = this.#options
    try {
      const answer = await resolve.ask(kind, name)
      return isEmpty(answer) ? 'ENODATA' : answer
    } catch (error) {
      return codeOf(error)
    }
  }

  #accept(answer: Answer): void {
    if (this.#isStopped) return
    const { clock, random, log } = this.#options
    const before = this.#watch
    this.#watch = answered(before, answer, clock.now(), random())
    this.#schedule()
    if (before.failures > 0) log(`${this.#title} resolves ${before.answer ? 'again' : 'now'}`)
    if (hasChanged(before, this.#watch)) this.#options.changed(this.#watch.answer as Answer)
    this.#looked()
  }

  #fail(why: string): void {
    if (this.#isStopped) return
    const { clock, random, log } = this.#options
    this.#watch = failed(this.#watch, clock.now(), random())
    this.#schedule()
    if (this.#watch.failures === 1) {
      log(`${this.#title} does not resolve (${why}); ${this.answer ? 'the last good answer stays in force' : 'it is tried again'}`)
    }
    this.#looked()
  }

  #schedule(): void {
    const { clock } = this.#options
    this.#takeBack = clock.after(this.#watch.dueMs - clock.now(), () => this.start())
  }

  get #title(): string {
    return this.#options.kind === 'srv' ? `SRV ${this.#options.name}` : this.#options.name
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
