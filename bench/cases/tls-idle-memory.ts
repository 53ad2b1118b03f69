// How much user memory does an idle keep-alive TLS connection cost?
import type { Bench, Case, Sample } from '../lib/case.ts'
import { certificatesObstacle } from '../lib/certificates.ts'
import { openFilesLimit } from '../lib/machine.ts'
import { settledMemoryOf } from '../lib/memory.ts'
import { withTlsPeer } from '../lib/tls-case.ts'
import { tlsRequests, whileHoldingTls } from '../lib/tls-load.ts'
import type { PeerKind } from '../peers/peer.ts'

const count = 5_000
// HAProxy sets 2.6 descriptors aside for every connection that it may have to accept.
const neededFiles = 3 * count

export const tlsIdleMemory: Case = {
  name: 'tls-idle-memory',
  metrics: [
    { key: 'bytesPerConnection', label: 'bytes/connection', better: 'lower' },
    { key: 'beforeMb', label: 'private MB before' },
    { key: 'afterMb', label: 'private MB after' },
    { key: 'rssMb', label: 'RSS MB after' },
  ],
  goals: [{ metric: 'bytesPerConnection', label: 'bytes per idle client', against: 'peers', better: 'lower', must: 1 / 0.95, aim: 1 }],
  obstacle: () => (openFilesLimit() < neededFiles ? `needs ulimit -n ${neededFiles}, has ${openFilesLimit()}` : certificatesObstacle()),
  measure: measureIdle,
}

function measureIdle(kind: PeerKind, bench: Bench): Promise<Sample> {
  return withTlsPeer(kind, bench, 'small', async (peer, target) => {
    // Warm code and heaps, with one connection so that no pool grows which would shrink again between the two readings.
    await tlsRequests({ ...target, connections: 1, seconds: 2 })
    const before = await settledMemoryOf(peer.pids)
    const held = { ...target, connections: count, seconds: 60 }
    const after = await whileHoldingTls(held, () => settledMemoryOf(peer.pids))
    return {
      bytesPerConnection: (after.privateDirty - before.privateDirty) / count,
      beforeMb: before.privateDirty / 1e6,
      afterMb: after.privateDirty / 1e6,
      rssMb: after.rss / 1e6,
    }
  })
}
