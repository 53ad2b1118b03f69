/** Something small that is done over and over again to see what it costs. */
export interface Step {
  title: string
  /** Made when its turn comes, so that only one of them is in memory; does it so often. */
  prepare(): (times: number) => void
}

/** Nanoseconds of CPU time each, one per round. */
export interface Times {
  title: string
  /** That are read each time; 0 where that says nothing. */
  bytes: number
  ns: number[]
}

/** Of each step in each round. Every round lasts about so long. */
const roundMs = 12

/** Measures them one by one; the rounds of one step follow each other, as its tables are too large to keep them all. */
export function timesOf(steps: Step[], rounds: number): Times[] {
  return steps.map(({ title, prepare }) => {
    const run = prepare()
    const times = timesFor(run)
    return { title, bytes: 0, ns: Array.from({ length: rounds }, () => cpuNs(run, times) / times) }
  })
}

/** How often it must be done to take `roundMs`; on the way it gets warm. Of two runs the slower one may have built a table, or compiled. */
function timesFor(run: (times: number) => void): number {
  for (let times = 16; ; times *= 2) {
    const ns = Math.min(cpuNs(run, times), cpuNs(run, times))
    if (ns > (roundMs * 1e6) / 2 || times >= 2 ** 26) return Math.max(1, Math.round((times * roundMs * 1e6) / Math.max(ns, 1)))
  }
}

function cpuNs(run: (times: number) => void, times: number): number {
  const before = process.cpuUsage()
  run(times)
  const { user, system } = process.cpuUsage(before)
  return (user + system) * 1000
}
