/** Turns the results of checks into verdicts: how many in a row it takes to believe a change. Pure. */

export type HealthState = 'unknown' | 'up' | 'down'

/** What the next check depends on: `changing` wants an answer soon, `down` is steady and may be asked seldom. */
export type HealthPace = 'steady' | 'changing' | 'down'

export interface CheckResult {
  ok: boolean
  /** A few words for people, such as `status 503`. */
  reason: string
  latencyMs: number
}

export interface HealthRules {
  /** Successes in a row that make a down server up; at least 1. */
  rise: number
  /** Failures in a row that make an up server down; at least 1. */
  fall: number
}

/**
 * The health of one server. The first result ever is a verdict at once, because traffic waits for it; after that `rise`
 * successes in a row make it up and `fall` failures in a row make it down.
 */
export class HealthMachine {
  readonly #rules: HealthRules
  #state: HealthState = 'unknown'
  #streak = 0
  #last: CheckResult | null = null

  constructor(rules: HealthRules) {
    this.#rules = rules
  }

  get state(): HealthState {
    return this.#state
  }

  /** Equal results in a row, the last one included; 0 before the first. */
  get streak(): number {
    return this.#streak
  }

  get last(): CheckResult | null {
    return this.#last
  }

  /** The latest results speak against the state, and are still too few to change it. */
  get isChanging(): boolean {
    return this.#last !== null && this.#last.ok !== (this.#state === 'up')
  }

  get pace(): HealthPace {
    if (this.#state === 'unknown' || this.isChanging) return 'changing'
    if (this.#state === 'up') return 'steady'
    // One failure was enough for the first verdict: a server that starts together with us is not left for a long interval.
    return this.#streak < this.#rules.fall ? 'changing' : 'down'
  }

  /** Takes the result of a check. The new state when this is a verdict, null when the state stays. */
  take(result: CheckResult): 'up' | 'down' | null {
    this.#streak = this.#last?.ok === result.ok ? this.#streak + 1 : 1
    this.#last = result
    const said = result.ok ? 'up' : 'down'
    if (said === this.#state) return null
    if (this.#state !== 'unknown' && this.#streak < (result.ok ? this.#rules.rise : this.#rules.fall)) return null
    this.#state = said
    return said
  }
}
