/** Builds, counts and compares: the deterministic part of the guard, without its command line. */
import { callgrindObstacle, countInstructions } from './callgrind.ts'
import { compareInstructions, type InstructionRow } from './instruction-verdict.ts'
import { buildPrograms, type Engine, type ProgramName, programs } from './native-build.ts'
import { instructionLimits, otherInstructions } from './thresholds.ts'

export interface InstructionReport {
  rows: InstructionRow[]
  /** Operations that the base cannot do, and why. */
  skipped: { names: string[]; reason: string }[]
}

/** Compares `here` with `base`, or with absolute limits when that is null. Rejects when `here` cannot be built or counted. */
export async function instructionReport(here: Engine, base: Engine | null, names = allPrograms): Promise<InstructionReport> {
  const ours = await buildPrograms(here, names)
  for (const [name, reason] of ours.missing) throw new Error(`bench/guard/native/${name}.cc does not compile with this engine: ${reason}`)
  const counts = await countAll(ours.programs)
  const skipped: InstructionReport['skipped'] = []
  const before = new Map<string, number>()
  if (base !== null) {
    const theirs = await buildPrograms(base, names)
    for (const [name, reason] of theirs.missing) skipped.push({ names: [...(counts.get(name)?.keys() ?? [])], reason })
    for (const of of (await countAll(theirs.programs)).values()) for (const [name, count] of of) before.set(name, count)
  }
  const isSkipped = new Set(skipped.flatMap((one) => one.names))
  const all = new Map([...counts.values()].flatMap((of) => [...of]).filter(([name]) => !isSkipped.has(name)))
  return { rows: compareInstructions(all, before, limitOf), skipped }
}

export const allPrograms = Object.keys(programs) as ProgramName[]

/** Why this machine cannot count; null when it can. */
export const instructionObstacle = callgrindObstacle

async function countAll(built: Map<ProgramName, string>): Promise<Map<ProgramName, Map<string, number>>> {
  // In the order of the list, not of the builds.
  const inOrder = allPrograms.flatMap((name) => [...built].filter(([one]) => one === name))
  const counted = inOrder.map(async ([name, path]) => [name, await countInstructions(path)] as const)
  return new Map(await Promise.all(counted))
}

function limitOf(name: string): typeof otherInstructions {
  return instructionLimits[name] ?? otherInstructions
}
