import type { HealthRow } from '../health/check-target.ts'

/** Counts good checks in a row from a moment on. Look at least as often as checks come. */
export class GoodChecks {
  #count = 0
  /** Of the row of equal results, those that were there before the count began. */
  #before: number
  #seen: number

  /** `row`: what the checker says at the beginning. */
  constructor(row: HealthRow | undefined) {
    this.#seen = row?.ok === true ? row.streak : 0
    this.#before = this.#seen
  }

  get count(): number {
    return this.#count
  }

  look(row: HealthRow | undefined): void {
    const streak = row?.ok === true ? row.streak : 0
    // A bad one came between, and the row began anew.
    if (streak < this.#seen) this.#before = 0
    this.#seen = streak
    this.#count = streak - this.#before
  }
}
