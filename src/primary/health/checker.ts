/** Runs the active checks of all servers: one timer, many probes, verdicts. */
import type { HealthPace } from '../../shared/health-machine.ts'
import { AgentCheck } from './agent-check.ts'
import type { CheckEvents, CheckTarget, HealthRow } from './check-target.ts'
import { httpProber } from './probe-http.ts'
import { probeTcp } from './probe-tcp.ts'
import { type CheckIntervals, CheckScheduler } from './scheduler.ts'
import { type CheckHistory, ServerCheck } from './server-check.ts'

export interface CheckerOptions {
  events: CheckEvents
  /** Monotonic, in milliseconds. */
  now?: () => number
  random?: () => number
  /** Checks that run at once. */
  maxInFlight?: number
}

/** A check of some kind in the schedule. */
interface Job {
  key: string
  /** A target with another definition is another check. */
  definition: string
  intervals: CheckIntervals
  check: { kind: 'server'; is: ServerCheck } | { kind: 'agent'; is: AgentCheck }
  abort: AbortController
}

/** As many as keep up with 500 servers that swallow packets. */
const MAX_IN_FLIGHT = 512
/** Checks begin together in steps of this length: the fewer wakeups, the less work. */
const STEP_MS = 25

export class HealthChecker {
  readonly #events: CheckEvents
  readonly #now: () => number
  readonly #scheduler: CheckScheduler
  readonly #http = httpProber()
  #jobs = new Map<string, Job>()
  #state: 'new' | 'running' | 'stopped' = 'new'
  #timer: NodeJS.Timeout | undefined
  /** When the timer fires. */
  #armedFor = Number.POSITIVE_INFINITY
  #steppedAt = Number.NEGATIVE_INFINITY

  constructor(options: CheckerOptions) {
    this.#events = options.events
    this.#now = options.now ?? (() => performance.now())
    const { random = Math.random, maxInFlight = MAX_IN_FLIGHT } = options
    this.#scheduler = new CheckScheduler({ random, maxInFlight })
  }

  /** Begins to check; the first check of every target is due at once. */
  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    this.#arm()
  }

  /** Ends for good: what runs is aborted, no event follows, nothing is left open. */
  stop(): void {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    for (const job of this.#jobs.values()) job.abort.abort()
    this.#http.close()
  }

  /**
   * Replaces the targets. One whose check is defined as before keeps its state and its turn, wherever it is now; one that is new or
   * checked differently begins anew, and its first result is a verdict. Of one that is gone nothing more is told.
   */
  update(targets: readonly CheckTarget[]): void {
    const before = this.#jobs
    const begun: Job[] = []
    this.#jobs = new Map()
    for (const target of targets) {
      for (const job of this.#jobsOf(target, before)) {
        this.#jobs.set(job.key, job)
        if (before.get(job.key) !== job) begun.push(job)
      }
    }
    for (const job of before.values()) if (this.#jobs.get(job.key) !== job) job.abort.abort()
    const now = this.#now()
    this.#scheduler.set(
      [...this.#jobs.values()].map((job) => ({ id: job.key, intervals: job.intervals })),
      now,
    )
    for (const job of begun) this.#scheduler.hurry(job.key, now)
    this.#arm()
  }

  /** Traffic saw it fail: its next check is due now. One that is being checked, or is not checked at all, is left alone. */
  hurry(id: string): void {
    this.#scheduler.hurry(`check ${id}`, this.#now())
    this.#arm()
  }

  /** One row for each server that is checked or has an agent, in the order of the targets. */
  report(): HealthRow[] {
    const rows = new Map<string, HealthRow>()
    for (const job of this.#jobs.values()) {
      const id = job.key.slice(job.key.indexOf(' ') + 1)
      rows.set(id, this.#added(rows.get(id) ?? emptyRow(id), job))
    }
    return [...rows.values()]
  }

  /** The same of one server; undefined when it is neither checked nor has an agent. */
  reportOf(id: string): HealthRow | undefined {
    const jobs = [this.#jobs.get(`check ${id}`), this.#jobs.get(`agent ${id}`)]
    let row: HealthRow | undefined
    for (const job of jobs) if (job !== undefined) row = this.#added(row ?? emptyRow(id), job)
    return row
  }

  /** What the checks of one server came to; undefined when it is not checked. */
  historyOf(id: string): Readonly<CheckHistory> | undefined {
    const check = this.#jobs.get(`check ${id}`)?.check
    return check?.kind === 'server' ? check.is.history : undefined
  }

  #added(row: HealthRow, job: Job): HealthRow {
    return job.check.kind === 'agent' ? { ...row, agent: job.check.is.last?.reason ?? null } : this.#fill(row, job, job.check.is)
  }

  #fill(row: HealthRow, job: Job, check: ServerCheck): HealthRow {
    const { machine, last, checkedAt, isDraining } = check
    return {
      ...row,
      state: machine.state,
      isChanging: machine.isChanging,
      isDraining,
      ok: last?.ok ?? null,
      code: last?.code ?? null,
      status: last?.status ?? null,
      reason: last?.reason ?? null,
      latencyMs: last?.latencyMs ?? null,
      streak: machine.streak,
      checkedAt,
      nextAt: this.#scheduler.dueAt(job.key),
    }
  }

  #jobsOf(target: CheckTarget, before: ReadonlyMap<string, Job>): Job[] {
    const { id, health, agent, authority, sendProxyProtocol, tls = null } = target
    const jobs: Job[] = []
    if (health !== null) {
      const definition = JSON.stringify([health, authority, sendProxyProtocol, tls?.definition ?? null])
      const make = () => ({
        kind: 'server' as const,
        is: new ServerCheck(target, health, { tcp: probeTcp, http: this.#http.probe }, this.#events),
      })
      jobs.push(keptOr(before, { key: `check ${id}`, definition, intervals: health }, target, make))
    }
    if (agent !== null) {
      const { intervalMs } = agent
      const intervals = { intervalMs, fastIntervalMs: intervalMs, downIntervalMs: intervalMs }
      const make = () => ({ kind: 'agent' as const, is: new AgentCheck(target, agent, this.#events) })
      jobs.push(keptOr(before, { key: `agent ${id}`, definition: JSON.stringify(agent), intervals }, target, make))
    }
    return jobs
  }

  /** Sets the timer to the next step with something to do. */
  #arm(): void {
    if (this.#state !== 'running') return
    const at = Math.max(this.#scheduler.nextAt(), this.#steppedAt + STEP_MS)
    if (at >= this.#armedFor) return
    clearTimeout(this.#timer)
    this.#armedFor = at
    this.#timer = setTimeout(() => this.#step(), Math.max(0, at - this.#now()))
  }

  #step(): void {
    const now = this.#now()
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#steppedAt = now
    for (const key of this.#scheduler.take(now)) {
      const job = this.#jobs.get(key) as Job
      const running = job.check.kind === 'agent' ? job.check.is.run(job.abort.signal) : job.check.is.run(job.abort.signal, this.#now)
      running.then((pace) => this.#settle(job, pace))
    }
    this.#arm()
  }

  #settle(job: Job, pace: HealthPace): void {
    const now = this.#now()
    this.#scheduler.settle(job.key, pace, now)
    // Replaced while it ran: the new check waited for the old one to end.
    if (this.#jobs.get(job.key) !== job) this.#scheduler.hurry(job.key, now)
    this.#arm()
  }
}

function keptOr(
  before: ReadonlyMap<string, Job>,
  plan: Pick<Job, 'key' | 'definition' | 'intervals'>,
  target: CheckTarget,
  make: () => Job['check'],
): Job {
  const known = before.get(plan.key)
  if (known === undefined || known.definition !== plan.definition) return { ...plan, check: make(), abort: new AbortController() }
  known.check.is.move(target.addresses)
  return known
}

function emptyRow(id: string): HealthRow {
  const nothing = { ok: null, code: null, status: null, reason: null, latencyMs: null, checkedAt: null, nextAt: null, agent: null }
  return { id, state: 'unknown', isChanging: false, isDraining: false, streak: 0, ...nothing }
}
