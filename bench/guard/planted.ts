// Does `make bench-guard` find a build that wastes 5 us per request, and let an honest one pass three times in a row?
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanUpAtExit } from '../lib/processes.ts'
import { copyOfHere, makeRunnable, progress } from './trees.ts'

const wasteNs = 5_000
const honestRuns = 3

const { values: options } = parseArgs({ options: { base: { type: 'string' } } })
let running: ChildProcess | undefined
cleanUpAtExit()
process.on('exit', () => running?.kill('SIGTERM'))
process.exitCode = await main()

async function main(): Promise<number> {
  const tree = copyOfHere('planted')
  progress(`building the addon so that it wastes ${wasteNs / 1000} us per request`)
  await makeRunnable(tree, wasteNs)
  progress('')
  if ((await guard('--tree', tree)) !== 1) return say(`FAILED: the guard did not find ${wasteNs / 1000} us wasted per request`)
  for (let i = 1; i <= honestRuns; i++) {
    if ((await guard()) !== 0) return say(`FAILED: honest run ${i} of ${honestRuns} did not pass`)
  }
  console.log(`\nthe guard finds ${wasteNs / 1000} us per request, and ${honestRuns} honest runs in a row pass`)
  return 0
}

function say(what: string): number {
  console.log(`\n${what}`)
  return 1
}

/** The exit code of one run of the guard, which prints for itself. */
async function guard(...words: string[]): Promise<number | null> {
  const base = options.base === undefined ? [] : ['--base', options.base]
  running = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'guard.ts'), ...base, ...words], { stdio: 'inherit' })
  const [code] = (await once(running, 'close')) as [number | null]
  running = undefined
  return code
}
