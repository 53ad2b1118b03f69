// Is this build slower than its base? Both run on this machine, in pairs, within three minutes.
//   --base REV     compare with that commit (default: the merge base with the main branch, else the commit before this one)
//   --tree PATH    measure that built tree in place of this checkout; its instructions are not counted
import { parseArgs } from 'node:util'
import { startOrigins } from '../lib/load.ts'
import { median } from '../lib/numbers.ts'
import { cleanUpAtExit } from '../lib/processes.ts'
import { findBase } from './base.ts'
import { instructionObstacle, instructionReport } from './instruction-guard.ts'
import { instructionLines } from './instruction-table.ts'
import { judgePairs, loadSentences, loadTable } from './load-verdict.ts'
import { sweepObjects } from './native-build.ts'
import { pairs, wantsMore } from './noise.ts'
import { addPairs, type Course } from './pairs.ts'
import { pinned } from './sides.ts'
import { makeRunnable, progress, root, sweepTrees, treeOf } from './trees.ts'

/** No block of pairs begins after that, so that the whole run ends within three minutes. */
const lastBlockMs = 140_000

const { values: options } = parseArgs({ options: { base: { type: 'string' }, tree: { type: 'string' } } })
const began = performance.now()
cleanUpAtExit()
try {
  process.exitCode = await main()
} catch (error) {
  console.error(`bench-guard: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const base = findBase(root, options.base)
  if (base.commit === null)
    throw new Error(`there is nothing to compare with: ${base.what}. BASE=REV names a commit, make bench-guard-instructions needs none`)
  const tree = await treeOf(base.commit)
  sweepTrees(tree)
  sweepObjects()
  progress('making the base ready to run')
  await makeRunnable(tree)
  const instructions = options.tree === undefined ? await countedHere(tree) : []
  const load = await measured(options.tree ?? root, tree)
  progress('')
  console.log(`\ncompared with ${base.commit.slice(0, 12)}, ${base.what}`)
  for (const line of [...load.lines, '', ...instructions]) console.log(line)
  const isSlower = [...load.lines, ...instructions].some((line) => line.startsWith('FAILED'))
  console.log(`\n${isSlower ? 'slower than the base' : 'not slower than the base'} (${Math.round((performance.now() - began) / 1000)} s)`)
  return isSlower ? 1 : 0
}

/** Before anything is pinned: compilers take both cores. */
async function countedHere(tree: string): Promise<string[]> {
  const obstacle = await instructionObstacle()
  if (obstacle !== null) return [`instructions are not compared: ${obstacle}`]
  progress('counting instructions')
  return instructionLines(await instructionReport({ tree: root, wasteNs: 0 }, { tree, wasteNs: 0 })).lines
}

async function measured(here: string, base: string): Promise<{ lines: string[] }> {
  const cores = await pinned()
  const origins = await startOrigins(cores.load)
  const course: Course = { bench: { cores, origins: origins.ports, homes: { here, base } }, rate: 0, pairs: [], late: [] }
  const tell = (what: string) => progress(`${what} of ${pairs.first} to ${pairs.most}`)
  try {
    while (course.pairs.length < pairs.first || (wantsMore(Object.values(judgePairs(course.pairs)), course.pairs.length) && hasTime())) {
      await addPairs(course, pairs.step, tell)
    }
  } finally {
    await origins.stop()
  }
  const verdicts = judgePairs(course.pairs)
  const late = median(course.late)
  const noise =
    late > 0.01 ? [`noisy: the load program sent ${(late * 100).toFixed(0)} % of the paced requests late, so the p99 says little`] : []
  const title = `${course.pairs.length} pairs, paced at ${course.rate} req/s; a ratio above 1 is worse`
  const lines = [title, loadTable(course.pairs, verdicts), ...loadSentences(course.pairs, verdicts), ...noise]
  return { lines }
}

function hasTime(): boolean {
  return performance.now() - began < lastBlockMs
}
