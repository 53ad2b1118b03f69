/** How long the event loop of a balancer's primary is kept by one turn, measured inside it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { folderFor } from './tools.ts'
import type { Scope } from './wait.ts'

export interface LoopDelay {
  /** For the balancer. */
  env: Record<string, string>
  /** The longest turn of each stretch of half a second so far, in milliseconds that its thread ran. */
  longest(): number[]
}

// Time on a processor, not on the clock: other processes of a busy machine keep the loop waiting, too, and are no fault of it.
const program = (file: string) => `
import { appendFileSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread && process.argv.includes('run')) {
  const ranMs = () => Number(readFileSync('/proc/self/task/' + process.pid + '/schedstat', 'latin1').split(' ')[0]) / 1e6
  let before = ranMs()
  let longest = 0
  setInterval(() => {
    const now = ranMs()
    longest = Math.max(longest, now - before)
    before = now
  }, 2).unref()
  setInterval(() => {
    appendFileSync(${JSON.stringify(file)}, longest + '\\n')
    longest = 0
  }, 500).unref()
}
`

export function loopDelay(scope: Scope): LoopDelay {
  const folder = folderFor(scope, 'loop-delay')
  const [preload, file] = [join(folder, 'measure.mjs'), join(folder, 'delays')]
  writeFileSync(preload, program(file))
  return {
    env: { NODE_OPTIONS: `--import ${pathToFileURL(preload)}` },
    longest: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []),
  }
}
