/**
 * What a request costs as connections, servers, routes, workers and bodies grow. `make bench-scale`; bench/README.md says how to read it.
 * Peers take turns and every round begins with another one, so that a slow minute of the machine hits all of them.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { findServers } from './lib/installed.ts'
import { describeMachine } from './lib/machine.ts'
import { cleanUpAtExit, output } from './lib/processes.ts'
import { readScaleOptions, type ScaleOptions } from './scale/options.ts'
import { writeScale } from './scale/record.ts'
import { runScale, type ScalePlan } from './scale/run.ts'
import { scaleText } from './scale/text.ts'

/** What begins right before the time is up still ends within it. */
const SLACK_MS = 10_000

findServers()
const options = readScaleOptions(process.argv.slice(2))
cleanUpAtExit()
await main(options)

async function main({ peers, dimensions, rounds, seconds, minutes }: ScaleOptions): Promise<void> {
  const machine = describeMachine()
  const time = new Date().toISOString()
  const [present, skipped] = presentOf(peers)
  const cores = await coresToUse()
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, nginx ${machine.nginx}, HAProxy ${machine.haproxy}; ` +
      `at most ${rounds} rounds, ${seconds} s a point, ${minutes} min`,
  )
  const result = await runScale({ dimensions, peers: present, rounds, seconds, limitMs: minutes * 60_000 - SLACK_MS, cores, progress })
  result.missing.unshift(...skipped)
  progress('')
  console.log(scaleText(result, dimensions))
  const folder = join(import.meta.dirname, '../build/bench', `scale-${time.slice(0, 19).replaceAll(':', '-')}`)
  const record = { time, machine, peers: present.map(({ name }) => name), seconds, result }
  console.log(`\nwritten to ${writeScale(record, dimensions, folder).join(' and ')}`)
  process.exit(result.series.length === 0 ? 1 : 0)
}

/** Those that are on this machine, and a sentence for each that is not. */
function presentOf(peers: ScaleOptions['peers']): [ScaleOptions['peers'], string[]] {
  const obstacles = peers.map((peer) => ({ peer, why: peer.obstacle?.() ?? null }))
  return [
    obstacles.filter(({ why }) => why === null).map(({ peer }) => peer),
    obstacles.flatMap(({ peer, why }) => (why === null ? [] : [`${peer.name}: ${why}`])),
  ]
}

/** Proxy on core 0; servers, clients and this process on core 1. */
async function coresToUse(): Promise<ScalePlan['cores']> {
  const count = availableParallelism()
  if (count < 2) {
    console.log('only one core: proxy, servers and clients share it, nothing is pinned, and rates say little')
    return { proxy: null, load: null, count }
  }
  await output(null, 'taskset', ['-acp', '1', String(process.pid)])
  return { proxy: 0, load: 1, count }
}

function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${what.padEnd(60)}\r`)
}
