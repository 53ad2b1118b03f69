/**
 * CPU time of processes and of the machine. That of processes comes from the scheduler's own nanosecond counters
 * (`/proc/<pid>/task/<tid>/schedstat`), because utime and stime come in ticks of 10 ms.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface CpuTime {
  /** Time on a core, in ns. */
  ranNs: number
  /** Time ready to run while something else had the core, in ns: what others on the machine took away. */
  waitedNs: number
}

/** CPU time so far of the processes. Exact when they are idle, else at most one scheduler tick behind. */
export function cpuTimeOf(pids: readonly number[]): CpuTime {
  const total: CpuTime = { ranNs: 0, waitedNs: 0 }
  for (const pid of pids) {
    for (const thread of listOf(`/proc/${pid}/task`)) {
      const [ran, waited] = textOf(`/proc/${pid}/task/${thread}/schedstat`).split(' ')
      total.ranNs += Number(ran ?? 0)
      total.waitedNs += Number(waited ?? 0)
    }
  }
  return total
}

/** The process and everything it forked, in no order. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const name of listOf('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // The command in parentheses may hold anything, spaces and parentheses too.
    const parent = Number(/.*\) \S (\d+)/s.exec(textOf(`/proc/${name}/stat`))?.[1] ?? -1)
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []))
  return tree
}

/** Share (0 to 1) of the machine's CPU time since `before` that the hypervisor gave to somebody else. */
export function stolenSince(before: MachineTime): number {
  const now = machineTime()
  return (now.stolen - before.stolen) / Math.max(1, now.total - before.total)
}

export interface MachineTime {
  total: number
  stolen: number
}

export function machineTime(): MachineTime {
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

function listOf(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
