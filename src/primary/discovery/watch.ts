import { type Answer, completed, meansTheSame } from './answer.ts'

/** What is known of one name, and when to look again. Pure: each step returns the next one. Times in milliseconds, `random` in [0, 1). */
export interface Watch {
  /** The last good answer; it stays for as long as there is no better one. */
  readonly answer: Answer | null
  /** Looks that failed, in a row. */
  readonly failures: number
  readonly dueMs: number
}

export const LEAST_TTL_MS = 1_000
export const MOST_TTL_MS = 60_000
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000
/** Either way, so that names that were first asked together are not asked together for ever. */
const JITTER = 0.1

/** A name that nobody has looked up yet: due at once. */
export function newWatch(now: number): Watch {
  return { answer: null, failures: 0, dueMs: now }
}

/** After an answer with records: due when it has run out, in 1 to 60 s. */
export function answered(watch: Watch, answer: Answer, now: number, random: number): Watch {
  const ttlMs = Math.min(Math.max(answer.ttlMs, LEAST_TTL_MS), MOST_TTL_MS)
  return { answer: completed(answer, watch.answer), failures: 0, dueMs: now + jittered(ttlMs, random) }
}

/** After a failure, or an answer without records: due in 1 s, 2 s, 4 s and so on, up to 30 s. */
export function failed(watch: Watch, now: number, random: number): Watch {
  const waitMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(watch.failures, 10), LAST_RETRY_MS)
  return { answer: watch.answer, failures: watch.failures + 1, dueMs: now + jittered(waitMs, random) }
}

/** Whether the later step says something else than the earlier one. */
export function hasChanged(before: Watch, after: Watch): boolean {
  if (after.answer === null || before.answer === null) return after.answer !== before.answer
  return !meansTheSame(before.answer, after.answer)
}

function jittered(ms: number, random: number): number {
  return ms * (1 - JITTER + 2 * JITTER * random)
}
