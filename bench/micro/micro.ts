/**
 * What do the small steps cost, one by one? `make bench-micro`. Each is measured in several rounds, which take turns, in CPU time; the
 * table has the minimum, which hardly depends on what else runs, and the median, which does.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine, type Machine } from '../lib/machine.ts'
import { median, table, text } from '../lib/numbers.ts'
import { cleanUpAtExit } from '../lib/processes.ts'
import { boardSteps } from './board.ts'
import { gossipSteps } from './gossip.ts'
import { nativeTimes } from './native.ts'
import { pickSteps } from './pick.ts'
import { routeSteps } from './route.ts'
import { type Step, type Times, timesOf } from './step.ts'

const rounds = 5
const groups: Record<string, () => Step[]> = { pick: pickSteps, route: routeSteps, board: boardSteps, gossip: gossipSteps }
const names = ['native', ...Object.keys(groups)]

const { values: options } = parseArgs({ options: { only: { type: 'string', default: names.join() } } })
cleanUpAtExit()
process.exitCode = await main(options.only.split(','))

async function main(wanted: string[]): Promise<number> {
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(`--only takes ${names.join(', ')}, not ${unknown}`)
    return 2
  }
  const machine = describeMachine()
  console.log(`${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, commit ${machine.commit}; ns of CPU time, ${rounds} rounds`)
  const results: Times[] = []
  for (const name of wanted) {
    const measured = name === 'native' ? await nativeTimes(rounds) : timesOf((groups[name] as () => Step[])(), rounds)
    console.log(`\n${tableOf(name, measured)}`)
    results.push(...measured)
  }
  write({ schema: 1, time: new Date().toISOString(), machine, rounds, results })
  return 0
}

function tableOf(name: string, all: Times[]): string {
  const hasBytes = all.some((times) => times.bytes > 0)
  const rows = all.map(({ title, bytes, ns }) => {
    const least = Math.min(...ns)
    return [title, text(least), text(median(ns)), ...(hasBytes ? [bytes > 0 ? text((bytes * 1000) / least) : '-'] : [])]
  })
  return table([[name, 'min ns', 'median ns', ...(hasBytes ? ['MB/s'] : [])], ...rows])
}

function write(record: { schema: number; time: string; machine: Machine; rounds: number; results: Times[] }): void {
  const directory = join(import.meta.dirname, '../../build/bench')
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `micro-${record.time.slice(0, 19).replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`)
  console.log(`\nwritten to ${file}`)
}
