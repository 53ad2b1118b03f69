/** User memory of a peer, from `/proc/<pid>/smaps_rollup`. Kernel memory (sockets, page tables) is not in it. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface Memory {
  /** Resident set, in bytes, summed over the processes: shared pages count once for each. */
  rss: number
  /** Pages written to and shared with nobody, in bytes: what would be free again without the peer. */
  privateDirty: number
}

/** NaN where there is no process at all. */
export function memoryOf(pids: number[]): Memory {
  if (pids.length === 0) return { rss: Number.NaN, privateDirty: Number.NaN }
  const total: Memory = { rss: 0, privateDirty: 0 }
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    total.rss += bytesOf(text, 'Rss')
    total.privateDirty += bytesOf(text, 'Private_Dirty')
  }
  return total
}

/** Memory once it has not changed by more than 16 KiB for half a second; after five seconds as it is. */
export async function settledMemoryOf(pids: () => number[]): Promise<Memory> {
  const deadline = Date.now() + 5_000
  let before = memoryOf(pids())
  while (Date.now() < deadline) {
    await delay(500)
    const now = memoryOf(pids())
    if (Math.abs(now.privateDirty - before.privateDirty) <= 16 * 1024) return now
    before = now
  }
  return before
}

function bytesOf(smaps: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(smaps)
  if (!found) throw new Error(`smaps_rollup has no ${field}`)
  return Number(found[1]) * 1024
}
