/** CPU time of load programs, which have ended by the time that it is asked for. Of those that run: src/cli/bench/cpu.ts. */
import { readFileSync } from 'node:fs'

/** CPU time in ns, in steps of 10 ms, of the children of this process that ended: load programs do, within the time that is measured. */
export function endedChildrenNs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  // cutime and cstime, the 16th and 17th of all fields.
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * 1e7
}
