// How much CPU does one small request on a kept-alive TLS connection cost, and how many does one worker on one core forward per second?
import { type Bench, type Case, type Sample, sharesOf, underLoad } from '../lib/case.ts'
import { certificatesObstacle } from '../lib/certificates.ts'
import { memoryOf } from '../lib/memory.ts'
import { withTlsPeer } from '../lib/tls-case.ts'
import { tlsRequests } from '../lib/tls-load.ts'
import type { PeerKind } from '../peers/peer.ts'

const connections = 64

export const tlsSmall: Case = {
  name: 'tls-small',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/req', better: 'lower' },
    { key: 'rps', label: 'req/s', better: 'higher' },
    { key: 'busy', label: 'core busy' },
    { key: 'p50', label: 'p50 us' },
    { key: 'p99', label: 'p99 us' },
    { key: 'rssMb', label: 'RSS MB' },
  ],
  goals: [
    { metric: 'cpuUs', label: 'CPU per request', against: 'peers', better: 'lower', must: 1 / 0.95, aim: 1 },
    { metric: 'rps', label: 'req/s of one core', against: 'peers', better: 'higher', must: 0.95, aim: 1 },
  ],
  obstacle: certificatesObstacle,
  measure: measureSmall,
}

function measureSmall(kind: PeerKind, bench: Bench): Promise<Sample> {
  return withTlsPeer(kind, bench, 'small', async (peer, target) => {
    await tlsRequests({ ...target, connections, seconds: 1 })
    const run = await underLoad(peer, () => tlsRequests({ ...target, connections, seconds: bench.seconds }))
    const { completed, rate, p50, p99 } = run.result
    const rssMb = memoryOf(peer.pids()).rss / 1e6
    return { cpuUs: run.ranNs / 1000 / completed, rps: rate, ...sharesOf(run), p50, p99, rssMb }
  })
}
