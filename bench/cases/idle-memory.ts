// How much user memory does an idle keep-alive client connection cost?
import { type Bench, type Case, type Sample, withPeer } from '../lib/case.ts'
import { whileHolding, wrk } from '../lib/load.ts'
import { openFilesLimit } from '../lib/machine.ts'
import { settledMemoryOf } from '../lib/memory.ts'
import type { PeerKind } from '../peers/peer.ts'

const count = 5_000
// HAProxy sets 2.6 descriptors aside for every connection that it may have to accept.
const neededFiles = 3 * count

export const idleMemory: Case = {
  name: 'idle-memory',
  metrics: [
    { key: 'bytesPerConnection', label: 'bytes/connection' },
    { key: 'beforeMb', label: 'private MB before' },
    { key: 'afterMb', label: 'private MB after' },
    { key: 'rssMb', label: 'RSS MB after' },
  ],
  goals: [{ metric: 'bytesPerConnection', label: 'bytes per idle client', against: 'value', better: 'lower', must: 1024, aim: 512 }],
  obstacle: () => (openFilesLimit() < neededFiles ? `needs ulimit -n ${neededFiles}, has ${openFilesLimit()}` : null),
  measure: measureIdle,
}

async function measureIdle(kind: PeerKind, bench: Bench): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port }
    // Warm code and heaps, with one connection so that no pool grows which would shrink again between the two readings.
    await wrk({ ...target, connections: 1, seconds: 2 })
    const before = await settledMemoryOf(peer.pids)
    const after = await whileHolding({ ...target, connections: count, seconds: 30 }, () => settledMemoryOf(peer.pids))
    return {
      bytesPerConnection: (after.privateDirty - before.privateDirty) / count,
      beforeMb: before.privateDirty / 1e6,
      afterMb: after.privateDirty / 1e6,
      rssMb: after.rss / 1e6,
    }
  })
}
