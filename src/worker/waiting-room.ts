import type { ExchangeId } from './exchange.ts'

/** One exchange or tunnel that waits for a server. */
export interface Waiter {
  readonly id: ExchangeId
  readonly kind: 'exchange' | 'tunnel'
  /** When it gives up, on the clock of `now`. */
  readonly deadlineMs: number
  /** Tries to go on. False: there is still no server for it, and nothing was done. */
  proceed(): boolean
  /** Its time is over. */
  giveUp(): void
}

export interface RoomOptions {
  max: number
  timeoutMs: number
  now(): number
  /** How many more, or fewer, wait. */
  counted(change: number): void
  /** While somebody waits: called every so often; see `look`. */
  lookEveryMs: number | null
}

/**
 * Those who wait for one upstream in one worker, first in, first out. A queue waits for room at a server and is released by the
 * engine; a hold waits for a server at all and is released by the news of one. Nothing polls but a hold's look: see `look`.
 */
export class WaitingRoom {
  readonly #options: RoomOptions
  /** In the order in which they came. */
  readonly #waiters = new Map<number, Waiter>()
  #timer: NodeJS.Timeout | undefined
  #looker: NodeJS.Timeout | undefined
  /** Who was let out by the last look; undefined once it has come back. */
  #scout: number | undefined
  #isLookDue = false

  constructor(options: RoomOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waiters.size
  }

  /** When one that comes now has to give up. */
  deadline(): number {
    return this.#options.now() + this.#options.timeoutMs
  }

  /** False: the room is full, or its time is over already. */
  enter(waiter: Waiter): boolean {
    const key = keyOf(waiter)
    const isBack = this.#waiters.has(key)
    if (!isBack && this.#waiters.size >= this.#options.max) return false
    if (waiter.deadlineMs <= this.#options.now()) return false
    if (this.#scout === key) this.#scout = undefined
    // Who was let out and is back at once has not lost its place.
    this.#waiters.set(key, waiter)
    if (!isBack) this.#options.counted(1)
    this.#arm()
    this.#lookAgain()
    return true
  }

  /**
   * Between the look that found no room and the count that tells others of a waiter, another worker may have made room and seen nobody
   * waiting. So there is one more look after that.
   */
  #lookAgain(): void {
    if (this.#isLookDue || this.#options.lookEveryMs !== null) return
    this.#isLookDue = true
    setImmediate(() => {
      this.#isLookDue = false
      this.release()
    })
  }

  /** The client has gone, or the exchange has ended in another way. */
  leave(kind: Waiter['kind'], id: ExchangeId): void {
    const key = keyOf({ kind, id })
    if (this.#waiters.get(key)?.id.generation === id.generation) this.#remove(key)
  }

  /** There may be servers now: lets those out who were here first, until one finds none. */
  release(): void {
    for (const [key, waiter] of this.#waiters) if (!this.#letOut(key, waiter)) return
  }

  /** All give up now. */
  clear(): void {
    for (const [key, waiter] of this.#waiters) {
      this.#remove(key)
      waiter.giveUp()
    }
    clearTimeout(this.#timer)
    clearInterval(this.#looker)
  }

  /**
   * Servers that are called up may all refuse: nobody brings the news when one accepts again. So one of those who wait is sent to see;
   * when it has not come back by the next look, the others follow.
   */
  #look(): void {
    if (this.#waiters.size === 0) {
      clearInterval(this.#looker)
      this.#looker = undefined
      this.#scout = undefined
      return
    }
    if (this.#scout !== undefined) {
      this.#scout = undefined
      this.release()
      return
    }
    const [key, waiter] = this.#waiters.entries().next().value as [number, Waiter]
    this.#scout = key
    if (!this.#letOut(key, waiter)) this.#scout = undefined
  }

  /** A verdict takes effect at once, so one that fails at once may be back in the room before this returns; then it stays. */
  #letOut(key: number, waiter: Waiter): boolean {
    if (!waiter.proceed()) return false
    if (this.#waiters.get(key) === waiter) this.#remove(key)
    return true
  }

  #remove(key: number): void {
    this.#waiters.delete(key)
    this.#options.counted(-1)
  }

  /** Deadlines are in order but for those who came back, so the first one is near enough. */
  #arm(): void {
    const { lookEveryMs } = this.#options
    if (lookEveryMs !== null && this.#looker === undefined) this.#looker = setInterval(() => this.#look(), lookEveryMs)
    if (this.#timer !== undefined) return
    const first = this.#waiters.values().next().value
    if (first === undefined) return
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, first.deadlineMs - this.#options.now()))
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#options.now()
    for (const [key, waiter] of this.#waiters) {
      if (waiter.deadlineMs > now) continue
      this.#remove(key)
      waiter.giveUp()
    }
    this.#arm()
  }
}

/** An index has one occupant at a time. */
function keyOf({ kind, id }: Pick<Waiter, 'kind' | 'id'>): number {
  return id.index * 2 + (kind === 'tunnel' ? 1 : 0)
}
