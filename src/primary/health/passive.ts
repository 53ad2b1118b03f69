/** Takes servers out for a while by what their exchanges came to. Pure: time and chance are arguments. */
import { formatDuration, formatShare } from '../../shared/base/units.ts'
import type { PassiveHealthConfig } from '../../shared/config/model.ts'
import { SlidingWindow, type WindowTotals } from './sliding-window.ts'

/** What one server has come to since it was made; all of it only grows, except where a worker died. */
export interface ServerCounters {
  id: string
  /** Exchanges that were answered, tunnels that were joined, and attempts that failed; not what is still in flight. */
  exchanges: number
  /** Those of them that failed, those with a failing status included. */
  failures: number
  firstByteUsSum: number
  /** By worker: failures since that worker's last success. */
  runOfFailures: readonly number[]
}

export interface EjectionChange {
  id: string
  isEjected: boolean
  /** It gets one request at a time until it has answered one. */
  isProbing: boolean
  /** A few words for people. */
  reason: string
}

interface Watched {
  id: string
  seen: { exchanges: number; failures: number; firstByteUsSum: number } | null
  window: SlidingWindow
  /** Failures in a row, over all workers. */
  run: number
  at: 'in' | 'ejected' | 'probing'
  /** When an ejection ends. */
  untilMs: number
  /** Times ejected lately. */
  ejections: number
  /** When `ejections` goes down by one next. */
  forgivenAt: number
}

type Delta = WindowTotals & { longestRun: number }

/** Jitter of an ejection, as a share of its time. */
const JITTER = 0.2

/** The passive health of one upstream's servers. Feed it every 100 ms or so. */
export class PassiveHealth {
  #config: PassiveHealthConfig
  readonly #random: () => number
  readonly #watched = new Map<string, Watched>()
  #ejected = 0

  constructor(config: PassiveHealthConfig, random: () => number) {
    this.#config = config
    this.#random = random
  }

  /** Other rules from now on. Who is out stays out for as long as was said; what was counted begins anew where the window is another. */
  reconfigure(config: PassiveHealthConfig): void {
    const isSameWindow = config.windowMs === this.#config.windowMs
    this.#config = config
    if (!isSameWindow) for (const server of this.#watched.values()) server.window = new SlidingWindow(config.windowMs)
  }

  /** Names the servers of the upstream. Those that stay keep what is known of them; a server that is not named is not watched. */
  setServers(ids: readonly string[]): void {
    const named = new Set(ids)
    for (const server of [...this.#watched.values()]) if (!named.has(server.id)) this.#forget(server)
    for (const id of named) if (!this.#watched.has(id)) this.#watched.set(id, watch(id, this.#config.windowMs))
  }

  /** Takes the counters as they stand and says what changed, ends of ejections included. */
  observe(counters: Iterable<ServerCounters>, now: number): EjectionChange[] {
    const changes: EjectionChange[] = []
    // Those that return make room below the cap for others.
    if (this.#ejected > 0) for (const server of this.#watched.values()) this.#returnIfOver(server, now, changes)
    for (const one of counters) {
      const server = this.#watched.get(one.id)
      if (server === undefined) continue
      const delta = advance(server, one)
      if (delta !== null && server.at !== 'ejected') this.#judge(server, delta, now, changes)
    }
    return changes
  }

  #judge(server: Watched, delta: Delta, now: number, changes: EjectionChange[]): void {
    const hasSuccess = delta.exchanges > delta.failures
    server.window.add(delta, now)
    // A success somewhere ends the row; failures of one worker that came after its own last success count on.
    server.run = hasSuccess ? Math.min(delta.longestRun, delta.failures) : server.run + delta.failures
    this.#forgive(server, now)
    const reason = server.at === 'probing' && !hasSuccess ? 'the first request after its return failed' : this.#faultOf(server, delta, now)
    if (server.at === 'probing' && hasSuccess) {
      server.at = 'in'
      changes.push({ id: server.id, isEjected: false, isProbing: false, reason: 'it answered again' })
    }
    if (reason !== null) this.#eject(server, reason, now, changes)
  }

  #faultOf(server: Watched, delta: Delta, now: number): string | null {
    const { failures, ratio, minimum, windowMs, latencyMs } = this.#config
    if (server.run >= failures) return server.run === 1 ? 'a request failed' : `${server.run} requests in a row failed`
    const totals = server.window.totals(now)
    if (totals.exchanges < minimum) return null
    const window = formatDuration(windowMs)
    if (delta.failures > 0 && totals.failures >= ratio * totals.exchanges) {
      return `${formatShare(totals.failures / totals.exchanges)} of ${totals.exchanges} requests in ${window} failed`
    }
    const meanMs = totals.firstByteUs / totals.exchanges / 1000
    return latencyMs !== null && meanMs > latencyMs ? `${Math.round(meanMs)} ms to the first byte on average in ${window}` : null
  }

  /** Does nothing when too many are out already; the next failure asks again. */
  #eject(server: Watched, reason: string, now: number, changes: EjectionChange[]): void {
    if (this.#ejected >= this.#mostEjected()) return
    const { ejectForMs, maxEjectForMs } = this.#config
    server.ejections++
    const grownMs = Math.min(maxEjectForMs, ejectForMs * server.ejections)
    const ms = Math.min(maxEjectForMs, grownMs * (1 + JITTER * (2 * this.#random() - 1)))
    server.at = 'ejected'
    server.untilMs = now + ms
    this.#ejected++
    changes.push({ id: server.id, isEjected: true, isProbing: false, reason })
  }

  /** An upstream of one server keeps it; any other may lose one, unless the share is 0. */
  #mostEjected(): number {
    const count = this.#watched.size
    if (count < 2 || this.#config.maxEjected === 0) return 0
    // A share of 100% of two would leave nobody to send requests to, which is what the user asked for.
    return Math.max(1, Math.floor(this.#config.maxEjected * count))
  }

  #returnIfOver(server: Watched, now: number, changes: EjectionChange[]): void {
    if (server.at !== 'ejected') return
    // Servers may have gone since, so that those that are out are too many.
    const isCrowded = this.#ejected > this.#mostEjected()
    if (now < server.untilMs && !isCrowded) return
    this.#ejected--
    server.at = 'probing'
    server.run = 0
    server.window.clear()
    server.forgivenAt = now + this.#config.windowMs
    changes.push({
      id: server.id,
      isEjected: false,
      isProbing: true,
      reason: isCrowded ? 'too few servers are left' : 'its ejection is over',
    })
  }

  /** Each window in traffic and without an ejection takes one past ejection back. */
  #forgive(server: Watched, now: number): void {
    while (server.ejections > 0 && server.at === 'in' && now >= server.forgivenAt) {
      server.ejections--
      server.forgivenAt += this.#config.windowMs
    }
  }

  #forget(server: Watched): void {
    if (server.at === 'ejected') this.#ejected--
    this.#watched.delete(server.id)
  }
}

function watch(id: string, windowMs: number): Watched {
  return { id, seen: null, window: new SlidingWindow(windowMs), run: 0, at: 'in', untilMs: 0, ejections: 0, forgivenAt: 0 }
}

/** What is new since the last look; null when nothing is, at the first look, and when the counters of a dead worker were taken out. */
function advance(server: Watched, now: ServerCounters): Delta | null {
  const seen = server.seen
  server.seen = { exchanges: now.exchanges, failures: now.failures, firstByteUsSum: now.firstByteUsSum }
  if (seen === null) return null
  const failures = now.failures - seen.failures
  const exchanges = Math.max(failures, now.exchanges - seen.exchanges)
  const firstByteUs = now.firstByteUsSum - seen.firstByteUsSum
  if (exchanges <= 0 || failures < 0 || firstByteUs < 0) return null
  let longestRun = 0
  for (const run of now.runOfFailures) if (run > longestRun) longestRun = run
  return { exchanges, failures, firstByteUs, longestRun }
}
