/** The cases of small requests on kept connections: they differ in the number of workers only. */
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, type Goal, type Sample, sharesOf, underLoad, withPeer } from './case.ts'
import { httpLoad, startOrigins } from './load.ts'
import { memoryOf } from './memory.ts'

const moreConnections = [1, 8, 512]

export interface SmallKind {
  /** With more than one nothing is pinned: a machine of two cores has none left for the load. */
  workers: number
  goals: Goal[]
}

/** 64 connections that each make the next request when they have their answer; with `--full` also 1, 8 and 512. */
export function smallCase(name: string, { workers, goals }: SmallKind): Case {
  return {
    name,
    metrics: [
      { key: 'cpuUs', label: 'CPU us/req', better: 'lower' },
      { key: 'rps', label: 'req/s', better: 'higher' },
      { key: 'busy', label: 'core busy' },
      { key: 'loadBusy', label: 'load busy' },
      { key: 'rssMb', label: 'RSS MB' },
      ...moreConnections.flatMap((count) => [
        { key: `cpuUs${count}`, label: `CPU us/req c${count}`, better: 'lower' as const },
        { key: `rps${count}`, label: `req/s c${count}`, better: 'higher' as const },
      ]),
    ],
    goals,
    rate: 'rps',
    unpinned: workers > 1,
    obstacle: () => null,
    measure: (kind, bench) => (workers > 1 ? measureUnpinned(kind, bench, workers) : measureSmall(kind, bench, 1)),
  }
}

/** With servers of its own, which may run on every core, too. */
async function measureUnpinned(kind: PeerKind, bench: Bench, workers: number): Promise<Sample> {
  const origins = await startOrigins('all')
  try {
    return await measureSmall(kind, { ...bench, cores: { proxy: 'all', load: 'all' }, origins: origins.ports }, workers)
  } finally {
    await origins.stop()
  }
}

async function measureSmall(kind: PeerKind, bench: Bench, workers: number): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small', workers }), async (peer) => {
    const load = (connections: number, seconds: number) => httpLoad({ core: bench.cores.load, port: peer.port, connections, seconds })
    await load(64, kind.warmUp ?? 1)
    const main = await underLoad(peer, () => load(64, bench.seconds))
    const sample: Sample = {
      cpuUs: main.ranNs / 1000 / main.result.requests,
      rps: main.result.requestsPerSecond,
      ...sharesOf(main),
      rssMb: memoryOf(peer.pids()).rss / 1e6,
    }
    for (const connections of bench.full ? moreConnections : []) {
      const other = await underLoad(peer, () => load(connections, bench.seconds))
      sample[`cpuUs${connections}`] = other.ranNs / 1000 / other.result.requests
      sample[`rps${connections}`] = other.result.requestsPerSecond
    }
    return sample
  })
}
