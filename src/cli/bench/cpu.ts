/**
 * CPU time of processes, out of the scheduler's own counters in nanoseconds (`/proc/PID/task/TID/schedstat`): user and system time
 * come in ticks of 10 ms.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Time on a core so far, in microseconds, of all threads of these processes. */
export function cpuTimeUs(pids: readonly number[]): number {
  let ns = 0
  for (const pid of pids) {
    for (const thread of namesIn(`/proc/${pid}/task`)) ns += Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0])
  }
  return ns / 1000
}

/** The process and everything that it forked. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const name of namesIn('/proc').filter((one) => /^\d+$/.test(one))) {
    // The command in parentheses may hold anything, spaces and parentheses too.
    const parent = Number(/.*\) \S (\d+)/s.exec(textOf(`/proc/${name}/stat`))?.[1] ?? -1)
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []))
  return tree
}

/** CPU time of the machine so far, in ticks, and how much of it the hypervisor gave to others. */
export function machineTime(): { total: number; stolen: number } {
  const fields = (textOf('/proc/stat').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number)
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0), stolen: fields[7] ?? 0 }
}

// Threads and processes may end between listing and reading; what is gone counts nothing.
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
