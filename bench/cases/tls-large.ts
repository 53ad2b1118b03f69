// How much CPU does it cost to forward one gigabyte over TLS in response bodies of 1 MiB?
import { type Bench, type Case, type Sample, sharesOf, underLoad } from '../lib/case.ts'
import { certificatesObstacle } from '../lib/certificates.ts'
import { memoryOf } from '../lib/memory.ts'
import { withTlsPeer } from '../lib/tls-case.ts'
import { tlsRequests } from '../lib/tls-load.ts'
import type { PeerKind } from '../peers/peer.ts'

const bodyBytes = 1_048_576
const connections = 16

export const tlsLarge: Case = {
  name: 'tls-large',
  metrics: [
    { key: 'cpuMsPerGb', label: 'CPU ms/GB', better: 'lower' },
    { key: 'mbPerSecond', label: 'MB/s', better: 'higher' },
    { key: 'busy', label: 'core busy' },
    { key: 'rssMb', label: 'RSS MB' },
  ],
  goals: [{ metric: 'cpuMsPerGb', label: 'CPU per GB', against: 'peers', better: 'lower', must: 1 / 0.95, aim: 1 }],
  obstacle: certificatesObstacle,
  measure: measureLarge,
}

function measureLarge(kind: PeerKind, bench: Bench): Promise<Sample> {
  return withTlsPeer(kind, bench, 'large', async (peer, target) => {
    const load = { ...target, connections, path: `/bytes/${bodyBytes}` }
    await tlsRequests({ ...load, seconds: 1 })
    const run = await underLoad(peer, () => tlsRequests({ ...load, seconds: bench.seconds }))
    const gigabytes = (run.result.completed * bodyBytes) / 1e9
    return {
      cpuMsPerGb: run.ranNs / 1e6 / gigabytes,
      mbPerSecond: (gigabytes * 1000) / run.result.seconds,
      ...sharesOf(run),
      rssMb: memoryOf(peer.pids()).rss / 1e6,
    }
  })
}
