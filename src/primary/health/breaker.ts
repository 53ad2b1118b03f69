/** Stops all traffic to an upstream that fails as a whole, and lets it back slowly. Pure: time is an argument. */
import { formatDuration, formatShare } from '../../shared/base/units.ts'
import type { BreakerConfig } from '../../shared/config/model.ts'
import { SlidingWindow, type WindowTotals } from './sliding-window.ts'

/** What all exchanges of an upstream have come to; all of it only grows, except where a worker died. */
export interface UpstreamCounters {
  exchanges: number
  failures: number
  firstByteUsSum: number
}

export interface BreakerChange {
  at: 'closed' | 'open' | 'ramp'
  /** Share of the requests that may pass: 0 while open, 1 when closed. */
  pass: number
  /** A few words for people. */
  reason: string
}

/** Steps in which the share grows: each is a message to all workers. */
const STEPS = 20

/** The circuit breaker of one upstream: closed → open for `openMs` → a growing share for `rampMs` → closed. */
export class Breaker {
  readonly #config: BreakerConfig
  readonly #window: SlidingWindow
  #seen: UpstreamCounters | null = null
  #at: BreakerChange['at'] = 'closed'
  #pass = 1
  /** When the current state began. */
  #sinceMs = 0

  constructor(config: BreakerConfig) {
    this.#config = config
    this.#window = new SlidingWindow(config.windowMs)
  }

  get pass(): number {
    return this.#pass
  }

  get at(): BreakerChange['at'] {
    return this.#at
  }

  /** Takes the counters as they stand. What changed, or null. */
  observe(counters: Readonly<UpstreamCounters>, now: number): BreakerChange | null {
    const delta = this.#advance(counters)
    if (this.#at === 'open') return this.#rampIfOver(now)
    if (delta !== null) {
      this.#window.add(delta, now)
      const reason = this.#faultIn(this.#window.totals(now))
      if (reason !== null) return this.#open(reason, now)
    }
    return this.#at === 'ramp' ? this.#grow(now) : null
  }

  #faultIn(totals: Readonly<WindowTotals>): string | null {
    const { errors, minimum, latencyMs, windowMs } = this.#config
    if (totals.exchanges === 0 || totals.exchanges < minimum) return null
    const window = formatDuration(windowMs)
    if (totals.failures > 0 && totals.failures >= errors * totals.exchanges) {
      return `${formatShare(totals.failures / totals.exchanges)} of ${totals.exchanges} requests in ${window} failed`
    }
    const meanMs = totals.firstByteUs / totals.exchanges / 1000
    return latencyMs !== null && meanMs > latencyMs ? `${Math.round(meanMs)} ms to the first byte on average in ${window}` : null
  }

  #open(reason: string, now: number): BreakerChange {
    this.#window.clear()
    return this.#become({ at: 'open', pass: 0, reason }, now)
  }

  #rampIfOver(now: number): BreakerChange | null {
    if (now < this.#sinceMs + this.#config.openMs) return null
    if (this.#config.rampMs === 0) return this.#become({ at: 'closed', pass: 1, reason: 'the time that it is open is over' }, now)
    return this.#become({ at: 'ramp', pass: 1 / STEPS, reason: 'the time that it is open is over' }, now)
  }

  #grow(now: number): BreakerChange | null {
    const share = (now - this.#sinceMs) / this.#config.rampMs
    if (share >= 1) return this.#become({ at: 'closed', pass: 1, reason: 'it recovered' }, now)
    const pass = (1 + Math.floor(share * STEPS)) / STEPS
    if (pass <= this.#pass) return null
    this.#pass = pass
    return { at: 'ramp', pass, reason: 'it recovers' }
  }

  #become(change: BreakerChange, now: number): BreakerChange {
    this.#at = change.at
    this.#pass = change.pass
    this.#sinceMs = now
    return change
  }

  /** What is new since the last look; null when nothing is, at the first look, and when the counters of a dead worker were taken out. */
  #advance(counters: Readonly<UpstreamCounters>): WindowTotals | null {
    const seen = this.#seen
    this.#seen = { exchanges: counters.exchanges, failures: counters.failures, firstByteUsSum: counters.firstByteUsSum }
    if (seen === null) return null
    const failures = counters.failures - seen.failures
    const exchanges = Math.max(failures, counters.exchanges - seen.exchanges)
    const firstByteUs = counters.firstByteUsSum - seen.firstByteUsSum
    return exchanges <= 0 || failures < 0 || firstByteUs < 0 ? null : { exchanges, failures, firstByteUs }
  }
}
