/** All points of all dimensions, in rounds, within a time. */

import { machineTime, stolenSince } from '../../src/cli/bench/cpu.ts'
import { turnOrder } from '../../src/cli/bench/turn-order.ts'
import { withPeer } from '../lib/case.ts'
import { type Origins, startOrigins } from '../lib/load.ts'
import type { Core } from '../lib/processes.ts'
import type { PeerKind, RunningPeer } from '../peers/peer.ts'
import { type Dimension, type DimensionName, type Stage, stagesOf, unitOf, valueText } from './dimensions.ts'
import { connectionObstacle, measurePoint, type Place, type PointSample, warmUp } from './measure.ts'

export interface Series {
  dimension: DimensionName
  peer: string
  points: { value: number; samples: PointSample[] }[]
}

export interface ScaleResult {
  series: Series[]
  /** Sentences: what could not be measured and why. */
  missing: string[]
  /** Rounds that were begun. */
  rounds: number
  /** Share (0 to 1) of the machine's CPU time that the hypervisor took. */
  stolen: number
}

export interface ScalePlan {
  dimensions: readonly Dimension[]
  peers: PeerKind[]
  rounds: number
  seconds: number
  /** No measurement begins after so many ms. */
  limitMs: number
  cores: { proxy: Core; load: Core; count: number }
  progress(what: string): void
}

/** Peers take turns at every stage, and every round begins with another one. Nothing that a peer does makes it reject. */
export async function runScale(plan: ScalePlan): Promise<ScaleResult> {
  const result: ScaleResult = { series: [], missing: [], rounds: 0, stolen: 0 }
  const before = machineTime()
  const deadline = performance.now() + plan.limitMs
  const stages = plan.dimensions.flatMap(stagesOf)
  for (let round = 0; round < plan.rounds; round++) {
    if (performance.now() > deadline) break
    result.rounds++
    for (const stage of stages) {
      if (performance.now() > deadline) break
      await runStage(stage, round, plan, result)
    }
  }
  if (performance.now() > deadline) result.missing.push(outOfTime(plan, result))
  result.stolen = stolenSince(before)
  return result
}

/** Servers are started anew for each stage: they keep the connections of peers that are gone. */
async function runStage(stage: Stage, round: number, plan: ScalePlan, result: ScaleResult): Promise<void> {
  const isShared = stage.dimension === 'workers'
  const [proxy, load] = isShared ? (['all', 'all'] as const) : [plan.cores.proxy, plan.cores.load]
  const origins = await startOrigins(load, '0.0.0.0')
  try {
    for (const peer of turnOrder(plan.peers, round)) {
      plan.progress(`round ${round + 1}/${plan.rounds} ${stage.dimension} ${stage.values.at(-1)} ${peer.name}`)
      await runPeer(stage, peer, origins, { proxy, load, count: plan.cores.count }, plan.seconds, result)
    }
  } finally {
    await origins.stop()
  }
}

async function runPeer(
  stage: Stage,
  kind: PeerKind,
  origins: Origins,
  cores: ScalePlan['cores'],
  seconds: number,
  result: ScaleResult,
): Promise<void> {
  const { routes, workers, bodies } = stage
  const options = { core: cores.proxy, servers: addresses(stage.servers, origins), routes, workers, bodies }
  try {
    await withPeer(kind.start(options), async (peer) => {
      const place = { core: cores.load, cores: cores.count, seconds }
      await warmUp(peer, stage, place)
      for (const value of stage.values) await runPoint(stage, value, { kind, peer, place }, result)
    })
  } catch (error) {
    note(result, `${kind.name}, ${stage.dimension}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function runPoint(
  stage: Stage,
  value: number,
  { kind, peer, place }: { kind: PeerKind; peer: RunningPeer; place: Place },
  result: ScaleResult,
): Promise<void> {
  const what = `${kind.name}, ${valueText(stage.dimension, value)} ${unitOf(stage.dimension)}`
  const obstacle = stage.dimension === 'connections' ? connectionObstacle(kind.name, value) : null
  if (obstacle !== null) return note(result, `${what}: ${obstacle}`)
  try {
    keep(result, stage.dimension, kind.name, value, await measurePoint(peer, stage, value, place))
  } catch (error) {
    note(result, `${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The same two programs on every loopback address: what differs is the proxy's work, not the servers'. */
function addresses(count: number, { ports }: Origins): string[] {
  return Array.from({ length: count }, (_, i) => `127.0.${1 + Math.floor((i >> 1) / 250)}.${1 + ((i >> 1) % 250)}:${ports[i & 1]}`)
}

function keep({ series }: ScaleResult, dimension: DimensionName, peer: string, value: number, sample: PointSample): void {
  const points = series.find((one) => one.dimension === dimension && one.peer === peer)?.points
  const point = points?.find((one) => one.value === value)
  if (point) point.samples.push(sample)
  else if (points) points.push({ value, samples: [sample] })
  else series.push({ dimension, peer, points: [{ value, samples: [sample] }] })
}

function note(result: ScaleResult, sentence: string): void {
  if (!result.missing.includes(sentence)) result.missing.push(sentence)
}

function outOfTime({ limitMs, rounds }: ScalePlan, result: ScaleResult): string {
  return `the time was up after ${Math.round(limitMs / 1000)} s, in round ${result.rounds} of ${rounds}: --minutes gives it more`
}
