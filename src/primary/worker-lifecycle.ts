import type { Edges } from '../shared/base/machine.ts'

export type WorkerState = 'starting' | 'ready' | 'draining' | 'gone'

/** What a worker process can become. */
export const workerLifecycle: Edges<WorkerState> = {
  starting: ['ready', 'draining', 'gone'],
  ready: ['draining', 'gone'],
  draining: ['gone'],
  gone: [],
}

const STABLE_MS = 5_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000

/**
 * How long to wait before a dead worker is replaced. At once when it had run for a while; else longer with each early death in a
 * row, so that a worker that cannot live does not eat the machine. Milliseconds.
 */
export function restartDelayMs(lived: { ms: number; earlyDeaths: number }): number {
  if (lived.ms >= STABLE_MS || lived.earlyDeaths <= 1) return 0
  return Math.min(FIRST_DELAY_MS * 2 ** (lived.earlyDeaths - 2), MAX_DELAY_MS)
}

/** Deaths in a row that came early, after one more. */
export function countEarlyDeaths(before: number, livedMs: number): number {
  return livedMs >= STABLE_MS ? 0 : before + 1
}
