import type { Verdict } from './exchange.ts'

export interface LateVerdict<T> {
  /** What the function's outcome means. */
  act(outcome: T): Verdict
  /** What it means that the function, or `act`, threw. */
  fail(error: unknown): Verdict
  resume(verdict: Verdict): void
}

/**
 * The verdict of a function that returned a promise. `lent` has moved on to others by the time it settles, so the facts of now are put
 * back before the verdict is made.
 */
export function whenSettled<T>(lent: Int32Array, outcome: PromiseLike<T>, { act, fail, resume }: LateVerdict<T>): void {
  const facts = lent.slice()
  const bring = (decide: () => Verdict) => {
    lent.set(facts)
    let made: Verdict
    try {
      made = decide()
    } catch (error) {
      made = fail(error)
    }
    resume(made)
  }
  outcome.then(
    (settled) => bring(() => act(settled)),
    (error) => bring(() => fail(error)),
  )
}
