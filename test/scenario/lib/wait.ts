/** Waiting for facts: everything a scenario waits for has a deadline, and a deadline that passes says what did not happen. */
import { setTimeout as delay } from 'node:timers/promises'

/** Where clean-up is registered: a test's own context, or a whole file (see `file`). The last registered runs first. */
export interface Scope {
  after(cleanup: () => void | Promise<void>): void
}

export interface Deadline {
  /** Milliseconds. */
  within?: number
  /** What is waited for, for the message. */
  what?: string
}

const USUAL_MS = 15_000

/**
 * Asks `fact` again and again until it answers something true, and returns that.
 * @throws when the deadline (15 s unless told otherwise) passes first; the last error of `fact` is its cause
 */
export async function until<T>(
  fact: () => T | Promise<T>,
  { within = USUAL_MS, what = fact.toString() }: Deadline = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + within
  let cause: unknown
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    try {
      const answer = await fact()
      if (answer) return answer as NonNullable<T>
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (Date.now() >= end) throw new Error(`not true within ${within} ms: ${what}`, { cause })
    await delay(pause)
  }
}

/** The promise's value, or an error that names `what` when it takes longer than the deadline. */
export async function inTime<T>(promise: Promise<T>, { within = USUAL_MS, what = 'an answer' }: Deadline = {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${within} ms`)), within)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How long a promise took to settle, in milliseconds, with its value. */
export async function timed<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now()
  const value = await promise
  return { value, ms: performance.now() - start }
}

/** A promise that somebody else settles. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}
