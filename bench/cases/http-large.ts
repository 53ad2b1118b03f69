// How much CPU does it cost to forward one gigabyte in response bodies of 1 MiB?
import { type Bench, type Case, type Sample, underLoad, withPeer } from '../lib/case.ts'
import { wrk } from '../lib/load.ts'
import { memoryOf } from '../lib/memory.ts'
import type { PeerKind } from '../peers/peer.ts'

const bodyBytes = 1_048_576
// Few, so that what is half transferred at the end of the run does not matter.
const connections = 16

export const httpLarge: Case = {
  name: 'http-large',
  metrics: [
    { key: 'cpuMsPerGb', label: 'CPU ms/GB' },
    { key: 'mbPerSecond', label: 'MB/s' },
    { key: 'busy', label: 'core busy' },
    { key: 'rssMb', label: 'RSS MB' },
  ],
  goals: [{ metric: 'cpuMsPerGb', label: 'CPU per GB', against: 'peers', better: 'lower', must: 0.8, aim: 0.65 }],
  obstacle: () => null,
  measure: measureLarge,
}

async function measureLarge(kind: PeerKind, bench: Bench): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'large' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections, path: `/bytes/${bodyBytes}` }
    await wrk({ ...target, seconds: 1 })
    const run = await underLoad(peer, () => wrk({ ...target, seconds: bench.seconds }))
    const gigabytes = (run.result.requests * bodyBytes) / 1e9
    return {
      cpuMsPerGb: run.ranNs / 1e6 / gigabytes,
      mbPerSecond: (gigabytes * 1000) / run.result.seconds,
      busy: run.busy,
      waited: run.waited,
      rssMb: memoryOf(peer.pids()).rss / 1e6,
    }
  })
}
