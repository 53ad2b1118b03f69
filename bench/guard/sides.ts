/** The two builds that are compared, running, and the loads that they are put under. */
import { availableParallelism } from 'node:os'
import { underLoad } from '../lib/case.ts'
import { pace } from '../lib/load.ts'
import { type Core, output } from '../lib/processes.ts'
import type { RunningPeer } from '../peers/peer.ts'
import { startWeir, upstreamOf } from '../peers/weir.ts'

export type Side = 'here' | 'base'

/** What the loads need to know. */
export interface Bench {
  cores: { proxy: Core; load: Core }
  origins: [number, number]
  homes: Record<Side, string>
}

/** Requests in flight at most. */
const connections = 64
/** Beside the half second that the load program does not count. Short, as one right after the other is what makes a pair. */
const seconds = { warmUp: 1, closedLoop: 0.5, paced: 0.75 }

/** Both builds, freshly started and warm, for as long as `during` runs. */
export async function withBoth<T>(bench: Bench, during: (peers: Record<Side, RunningPeer>) => Promise<T>): Promise<T> {
  const here = await startSide(bench, 'here')
  try {
    const base = await startSide(bench, 'base')
    try {
      for (const peer of [here, base]) await closedLoop(bench, peer, seconds.warmUp)
      return await during({ here, base })
    } finally {
      await base.stop()
    }
  } finally {
    await here.stop()
  }
}

/** As many requests as it can take: CPU time of each in us, and how many per second. */
export async function closedLoop(bench: Bench, peer: RunningPeer, length = seconds.closedLoop): Promise<{ cpuUs: number; rps: number }> {
  const load = { core: bench.cores.load, port: peer.port, connections, seconds: length, rate: 0 }
  const { result, ranNs } = await underLoad(peer, () => pace(load))
  return { cpuUs: ranNs / 1000 / result.answered, rps: result.rate }
}

/** 99 % of the answers came within so many us, at this rate; `port` is the one of a proxy or of a server. `late` is a share of the sends. */
export async function p99At(bench: Bench, port: number, rate: number): Promise<{ p99: number; late: number }> {
  const { p99, late, sent } = await pace({ core: bench.cores.load, port, connections, seconds: seconds.paced, rate })
  return { p99, late: late / Math.max(1, sent) }
}

/** Proxies on core 0, clients, servers and this process on core 1: as in bench/suite.ts. */
export async function pinned(): Promise<Bench['cores']> {
  if (availableParallelism() < 2) {
    console.log('only one core: proxies, servers and clients share it, nothing is pinned, and latencies say little')
    return { proxy: null, load: null }
  }
  await output(null, 'taskset', ['-acp', '1', String(process.pid)])
  return { proxy: 0, load: 1 }
}

function startSide({ cores, origins, homes }: Bench, side: Side): Promise<RunningPeer> {
  const servers = origins.map((port) => `127.0.0.1:${port}`)
  const config = (port: number, directory: string) => `
workers: 1
control: { socket: ${directory}/weir.sock }
listeners:
  web: { bind: ["127.0.0.1:${port}"], protocol: http, routes: [{ match: {}, upstream: servers }] }
${upstreamOf(servers)}`
  return startWeir(cores.proxy, config, undefined, homes[side])
}
