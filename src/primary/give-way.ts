/**
 * What keeps statistics and collects garbage gives way to workers on the same core: a thread that does so for 5 ms would otherwise be 5 ms in
 * the p99 of everybody whose request came meanwhile. The primary's main thread keeps its weight, as workers inherit theirs from it and nobody
 * may raise it again. So does the log thread: its lines wait in rings that are finite.
 */
import { readdirSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** Nice values above the main thread's. A third of a worker's weight is enough to get on, also where workers want every core. */
const NICER = 5
const NICEST = 19

/** The calling thread, and the threads that it starts from now on. */
export function giveWay(): void {
  // Linux takes 0 for the thread that calls, not for its process.
  lower(0)
}

/** Every other thread there is; to be called by the main thread, before it starts some that should not. */
export function otherThreadsGiveWay(): void {
  for (const name of threads()) if (Number(name) !== process.pid) lower(Number(name))
}

function threads(): string[] {
  try {
    return readdirSync('/proc/self/task')
  } catch {
    // Without /proc, what a priority is worth is not worth a refusal to start.
    return []
  }
}

function lower(thread: number): void {
  try {
    setPriority(thread, Math.min(NICEST, getPriority(process.pid) + NICER))
  } catch {
    // It has ended, or a sandbox forbids it.
  }
}
