/** The same operations of the engine that the guard counts, timed: heads, header programs, bodies, records, the board. */
import { buildPrograms, type ProgramName } from '../guard/native-build.ts'
import { mustRun } from '../guard/run.ts'
import { root } from '../guard/trees.ts'
import type { Times } from './step.ts'

/** The exchange is not among them: most of its time is the kernel's and the clients'. */
const programs: ProgramName[] = ['heads', 'header_programs', 'bodies', 'board', 'records']
const roundMs = 8

/** Builds the programs where they are not built yet, and runs one after the other. */
export async function nativeTimes(rounds: number): Promise<Times[]> {
  const built = await buildPrograms({ tree: root, wasteNs: 0 }, programs)
  for (const [name, reason] of built.missing) throw new Error(`bench/guard/native/${name}.cc does not compile: ${reason}`)
  const all: Times[] = []
  for (const name of programs) {
    const printed = await mustRun([built.programs.get(name) ?? '', 'time', String(roundMs), String(rounds)])
    all.push(...printed.trim().split('\n').map(timesIn))
  }
  return all
}

function timesIn(line: string): Times {
  const [title = '', bytes, ...ns] = line.split(' ')
  return { title, bytes: Number(bytes), ns: ns.map(Number) }
}
