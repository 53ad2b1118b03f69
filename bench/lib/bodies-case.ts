/** The cases of response bodies of one size: they differ in the size, the connections and what the budget says. */
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, type Goal, type Sample, sharesOf, underLoad, withPeer } from './case.ts'
import { httpLoad } from './load.ts'
import { memoryOf } from './memory.ts'

export interface BodiesKind {
  bytes: number
  connections: number
  goals: Goal[]
}

/** Connections that ask for the next body when they have the last one. */
export function bodiesCase(name: string, kind: BodiesKind): Case {
  return {
    name,
    metrics: [
      { key: 'cpuMsPerGb', label: 'CPU ms/GB', better: 'lower' },
      { key: 'mbPerSecond', label: 'MB/s', better: 'higher' },
      { key: 'busy', label: 'core busy' },
      { key: 'loadBusy', label: 'load busy' },
      { key: 'rssMb', label: 'RSS MB' },
    ],
    goals: kind.goals,
    rate: 'mbPerSecond',
    obstacle: () => null,
    measure: (peer, bench) => measureBodies(peer, bench, kind),
  }
}

async function measureBodies(kind: PeerKind, bench: Bench, { bytes, connections }: BodiesKind): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'large' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections, path: `/bytes/${bytes}` }
    await httpLoad({ ...target, seconds: kind.warmUp ?? 1 })
    const run = await underLoad(peer, () => httpLoad({ ...target, seconds: bench.seconds }))
    const gigabytes = (run.result.requests * bytes) / 1e9
    return {
      cpuMsPerGb: run.ranNs / 1e6 / gigabytes,
      mbPerSecond: (gigabytes * 1000) / run.result.seconds,
      ...sharesOf(run),
      rssMb: memoryOf(peer.pids()).rss / 1e6,
    }
  })
}
