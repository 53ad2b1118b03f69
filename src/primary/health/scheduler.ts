/** Says which checks are to begin now, and when the next ones are. Pure: time and chance are arguments. */
import type { HealthPace } from '../../shared/health-machine.ts'
import { type DueEntry, DueHeap } from './due-heap.ts'

/** The intervals of a HealthConfig, in milliseconds. */
export interface CheckIntervals {
  intervalMs: number
  fastIntervalMs: number
  downIntervalMs: number
}

export interface ScheduledTarget {
  id: string
  intervals: CheckIntervals
}

export interface SchedulerOptions {
  /** Checks that run at once. */
  maxInFlight: number
  random: () => number
}

interface Entry extends DueEntry {
  id: string
  intervals: CheckIntervals
  /** Where in every interval its turn is, from 0 to 1. */
  phase: number
  isInFlight: boolean
  beganAt: number
  /** Number of the `set` that named it last. */
  seen: number
}

/** The golden ratio: steps of this part of an interval keep any number of targets evenly spread. */
const GOLDEN = (Math.sqrt(5) - 1) / 2
/** Each turn moves by up to this share of the interval, so two turns are at most twice as far from one interval apart. */
const JITTER = 0.05

/**
 * Every target has a fixed phase. Its first check is due at once; after that its turns are one interval apart at its phase, whatever
 * the interval is. So thousands of targets that began together, or that waited together, are evenly spread from their second
 * check on, and stay so. A target is never due while a check of it runs.
 */
export class CheckScheduler {
  readonly #options: SchedulerOptions
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new DueHeap<Entry>()
  #phase: number
  #inFlight = 0
  #sets = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#phase = options.random()
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Replaces the targets. Those that stay keep their turns; the next turn obeys new intervals. */
  set(targets: Iterable<ScheduledTarget>, now: number): void {
    this.#sets++
    for (const target of targets) {
      const known = this.#entries.get(target.id)
      if (known === undefined) this.#add(target, now)
      else {
        known.seen = this.#sets
        this.#retime(known, target.intervals, now)
      }
    }
    for (const entry of this.#entries.values()) if (entry.seen !== this.#sets) this.#drop(entry)
  }

  /** Makes a target due at once; one that is being checked, or not known, is left alone. */
  hurry(id: string, now: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.isInFlight) return
    this.#waiting.remove(entry)
    entry.dueAt = now
    this.#waiting.add(entry)
  }

  /** Targets whose checks begin now, the longest due first; no more than may run at once. Each must be settled. */
  take(now: number): string[] {
    const taken: string[] = []
    for (let entry = this.#waiting.first; entry !== undefined && entry.dueAt <= now; entry = this.#waiting.first) {
      if (this.#inFlight >= this.#options.maxInFlight) break
      this.#waiting.remove(entry)
      entry.isInFlight = true
      entry.beganAt = now
      this.#inFlight++
      taken.push(entry.id)
    }
    return taken
  }

  /** The check of a target ended. Also to be called for one that was removed while it was checked. */
  settle(id: string, pace: HealthPace, now: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || !entry.isInFlight) return
    this.#inFlight--
    entry.isInFlight = false
    if (entry.seen !== this.#sets) {
      this.#entries.delete(id)
      return
    }
    entry.dueAt = Math.max(now, this.#nextTurn(entry, intervalOf(entry.intervals, pace)))
    this.#waiting.add(entry)
  }

  /** When `take` is worth calling; Infinity while nothing may begin before a check ends. */
  nextAt(): number {
    if (this.#inFlight >= this.#options.maxInFlight) return Number.POSITIVE_INFINITY
    return this.#waiting.first?.dueAt ?? Number.POSITIVE_INFINITY
  }

  /** When the next check of a target is due; null while one runs, or when it is not known. */
  dueAt(id: string): number | null {
    const entry = this.#entries.get(id)
    return entry === undefined || entry.isInFlight ? null : entry.dueAt
  }

  #add(target: ScheduledTarget, now: number): void {
    this.#phase = (this.#phase + GOLDEN) % 1
    const base = { dueAt: now, place: -1, isInFlight: false, beganAt: now }
    const entry: Entry = { ...base, id: target.id, intervals: target.intervals, phase: this.#phase, seen: this.#sets }
    this.#entries.set(target.id, entry)
    this.#waiting.add(entry)
  }

  /** A target whose check runs stays until it is settled: nothing of the same name may begin beside it. */
  #drop(entry: Entry): void {
    if (entry.isInFlight) return
    this.#waiting.remove(entry)
    this.#entries.delete(entry.id)
  }

  /** A turn that was far away under the old intervals must not delay a shorter new one. */
  #retime(entry: Entry, intervals: CheckIntervals, now: number): void {
    const isShorter = intervals.intervalMs < entry.intervals.intervalMs || intervals.downIntervalMs < entry.intervals.downIntervalMs
    entry.intervals = intervals
    if (!isShorter || entry.isInFlight) return
    this.#waiting.remove(entry)
    entry.dueAt = Math.min(entry.dueAt, Math.max(now, this.#nextTurn({ ...entry, beganAt: now }, intervals.intervalMs)))
    this.#waiting.add(entry)
  }

  /** The turn that is between half and one and a half intervals after the last check began; exactly one when that was on its turn. */
  #nextTurn(entry: Entry, intervalMs: number): number {
    const turn = Math.ceil(entry.beganAt / intervalMs + 0.5 - entry.phase) + entry.phase
    return (turn + JITTER * (2 * this.#options.random() - 1)) * intervalMs
  }
}

function intervalOf(intervals: CheckIntervals, pace: HealthPace): number {
  if (pace === 'changing') return intervals.fastIntervalMs
  return pace === 'down' ? intervals.downIntervalMs : intervals.intervalMs
}
