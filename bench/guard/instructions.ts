// Does this tree need more instructions than its base for the same work?
//   --base REV          compare with that commit (default: the merge base with the main branch, else the commit before this one)
//   --against-itself    compare with this tree: for trying the guard
//   --waste-ns N        with the slow-down of native/base/waste.h planted in this tree's build
import { parseArgs } from 'node:util'
import { text } from '../lib/numbers.ts'
import { cleanUpAtExit } from '../lib/processes.ts'
import { findBase } from './base.ts'
import { instructionObstacle, instructionReport } from './instruction-guard.ts'
import { instructionLines } from './instruction-table.ts'
import { sweepObjects } from './native-build.ts'
import { progress, root, sweepTrees, treeOf } from './trees.ts'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    'against-itself': { type: 'boolean', default: false },
    'waste-ns': { type: 'string', default: '0' },
  },
})
cleanUpAtExit()
try {
  process.exitCode = await main()
} catch (error) {
  console.error(`bench-guard: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const obstacle = await instructionObstacle()
  if (obstacle !== null) {
    console.log(`bench-guard: instructions are not compared, ${obstacle}`)
    return 0
  }
  sweepObjects()
  const began = Date.now()
  const { tree, what } = await baseTree()
  progress('counting instructions')
  const here = { tree: root, wasteNs: Number(options['waste-ns']) }
  const report = await instructionReport(here, tree === null ? null : { tree, wasteNs: 0 })
  const { lines, isSlower } = instructionLines(report)
  console.log(`instructions per operation, compared with ${what} (${text((Date.now() - began) / 1000)} s)`)
  console.log(lines.join('\n'))
  return isSlower ? 1 : 0
}

async function baseTree(): Promise<{ tree: string | null; what: string }> {
  if (options['against-itself']) return { tree: root, what: 'itself' }
  const base = findBase(root, options.base)
  if (base.commit === null) return { tree: null, what: `the absolute limits of bench/guard/thresholds.ts only: ${base.what}` }
  const tree = await treeOf(base.commit)
  sweepTrees(tree)
  return { tree, what: `${base.commit.slice(0, 12)}, ${base.what}` }
}
