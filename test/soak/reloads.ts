// Does anything grow with every reload? Many of them under load, each changing something; no request fails, and at the end the
// primary and the workers hold what they held once they were warm. Draws the samples as an SVG picture.
//   RELOADS=1000  RELOAD_GRAPH=build/soak/reloads.svg
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { connectControl } from '../../src/cli/control-client.ts'
import { startBalancer } from '../scenario/lib/balancer.ts'
import { changingConfig } from '../scenario/lib/changing-config.ts'
import { startFaultyServer } from '../scenario/lib/faulty-server.ts'
import { startLoad } from '../scenario/lib/steady-load.ts'
import type { Scope } from '../scenario/lib/wait.ts'
import { drawGraph } from './graph.ts'
import { holdingOf } from './holding.ts'

const reloads = Number(process.env['RELOADS'] ?? 1_000)
const graph = process.env['RELOAD_GRAPH'] ?? 'build/soak/reloads.svg'
const SAMPLES = 50
/** Until then pools, arenas and compiled code grow to their size. */
const WARM_SHARE = 0.3
/** What allocators and garbage collectors vary by: 700 reloads that leak 20 KiB each are 14 MiB. */
const SLACK_BYTES = 12 * 1024 * 1024
const RATE = 200
/** With little room the collector runs often, so that what grows is what stays: by default the primary lets 50 MiB of it pile up. */
const SMALL_HEAP = '--max-old-space-size=40 --max-semi-space-size=1'

interface Sample {
  reload: number
  /** The primary first. */
  privateMiB: number[]
  descriptors: number[]
}

async function soak(scope: Scope): Promise<void> {
  const servers = await Promise.all([0, 1, 2].map(() => startFaultyServer(scope, {})))
  const named = servers.map(({ address }, i) => ({ name: 'abc'.charAt(i), address }))
  const weir = await startBalancer(scope, stringify(changingConfig(0, named)), { env: { NODE_OPTIONS: SMALL_HEAP } })
  const pids = [weir.pid, ...weir.workerPids()]
  const load = startLoad(scope, { port: weir.port(), rate: RATE, connections: 200 })
  const control = await connectControl(join(weir.folder, 'weir.sock'))
  scope.after(() => control.close())
  const samples: Sample[] = []
  for (let step = 1; step <= reloads; step++) {
    writeFileSync(weir.configFile, stringify(changingConfig(step, named)))
    const { data } = await control.ask('reload', {})
    assert.ok(data.changed, `reload ${step} changed nothing`)
    if (step % Math.max(1, Math.floor(reloads / SAMPLES)) === 0) samples.push(sample(step, pids))
  }
  await load.stop()
  mkdirSync(dirname(graph), { recursive: true })
  writeFileSync(graph, drawGraph(samples, ['primary', 'worker 1', 'worker 2']))
  console.log(`${reloads} reloads, ${load.sent} requests, ${load.failures.length} failed; ${graph}`)
  assert.deepEqual(load.failures.slice(0, 5), [])
  assert.deepEqual([weir.pid, ...weir.workerPids()], pids, 'no worker was replaced')
  compare(samples)
}

function sample(reload: number, pids: readonly number[]): Sample {
  const held = pids.map(holdingOf)
  const one = {
    reload,
    privateMiB: held.map(({ privateBytes }) => privateBytes / 2 ** 20),
    descriptors: held.map(({ descriptors }) => descriptors),
  }
  console.log(`reload ${reload}: ${one.privateMiB.map((size) => size.toFixed(1)).join(' ')} MiB, ${one.descriptors.join(' ')} descriptors`)
  return one
}

/** The last fifth against the fifth after warming up; the least of each, as what is collected later is no leak. */
function compare(samples: readonly Sample[]): void {
  const from = Math.floor(samples.length * WARM_SHARE)
  const fifth = Math.max(1, Math.floor(samples.length / 5))
  const least = (part: readonly Sample[], of: 'privateMiB' | 'descriptors', i: number) =>
    Math.min(...part.map((one) => one[of][i] as number))
  for (const i of [0, 1, 2]) {
    const warm = samples.slice(from, from + fifth)
    const last = samples.slice(-fifth)
    const grownBytes = (least(last, 'privateMiB', i) - least(warm, 'privateMiB', i)) * 2 ** 20
    assert.ok(grownBytes < SLACK_BYTES, `process ${i} grew by ${(grownBytes / 2 ** 20).toFixed(1)} MiB`)
    const more = least(last, 'descriptors', i) - least(warm, 'descriptors', i)
    assert.ok(more <= 2, `process ${i} has ${more} more descriptors`)
  }
}

const cleanups: (() => void | Promise<void>)[] = []
try {
  await soak({ after: (cleanup) => void cleanups.unshift(cleanup) })
} finally {
  for (const cleanup of cleanups) await cleanup()
}
