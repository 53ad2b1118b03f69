/** The TCP cases that move large amounts: they differ in the size of one transfer only. */
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, type Sample, sharesOf, underLoad, withPeer } from './case.ts'
import { type TunnelLoad, tunnels } from './load.ts'

const connections = 4

/** Repeated transfers of `bytes` from the server to the client. */
export function bulkCase(name: string, bytes: number): Case {
  return {
    name,
    metrics: [
      { key: 'cpuMsPerGb', label: 'CPU ms/GB', better: 'lower' },
      { key: 'mbPerSecond', label: 'MB/s', better: 'higher' },
      { key: 'busy', label: 'core busy' },
    ],
    goals: [
      { metric: 'cpuMsPerGb', label: 'CPU per GB', against: 'haproxy', better: 'lower', must: 0.75, aim: 0.6 },
      { metric: 'cpuMsPerGb', label: 'CPU per GB, better of both', against: 'peers', better: 'lower' },
    ],
    rate: 'mbPerSecond',
    obstacle: () => null,
    measure: (kind, bench) => measureBulk(kind, bench, bytes),
  }
}

async function measureBulk(kind: PeerKind, bench: Bench, bytes: number): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'large' }), async (peer) => {
    const load: Omit<TunnelLoad, 'seconds'> = { core: bench.cores.load, port: peer.port, mode: 'bulk', connections, bytes }
    await tunnels({ ...load, seconds: 1 })
    const run = await underLoad(peer, () => tunnels({ ...load, seconds: bench.seconds }))
    const gigabytes = run.result.bytes / 1e9
    return {
      cpuMsPerGb: run.ranNs / 1e6 / gigabytes,
      mbPerSecond: (gigabytes * 1000) / run.result.seconds,
      ...sharesOf(run),
    }
  })
}
