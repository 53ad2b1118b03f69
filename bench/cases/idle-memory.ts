// How much user memory does an idle keep-alive client connection cost, of 1,000 and of 8,000?
import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, type Case, type Sample, withPeer } from '../lib/case.ts'
import { httpLoad, whileHolding } from '../lib/load.ts'
import { openFilesLimit } from '../lib/machine.ts'
import { type Memory, settledMemoryOf } from '../lib/memory.ts'
import type { PeerKind } from '../peers/peer.ts'

const few = 1_000
const many = 8_000
// HAProxy sets two descriptors aside for every connection that it may have to accept.
const neededFiles = 2 * many + 1_000

// Until V8 has given back what the warm-up left behind: it does so after eight seconds of silence.
const silenceMs = 9_000

export const idleMemory: Case = {
  name: 'idle-memory',
  metrics: [
    { key: 'bytesPerConnection', label: 'bytes each of 8,000', better: 'lower' },
    { key: 'bytesPerConnection1k', label: 'bytes each of 1,000', better: 'lower' },
    { key: 'beforeMb', label: 'private MB before' },
    { key: 'afterMb', label: 'private MB after' },
    { key: 'rssMb', label: 'RSS MB after' },
  ],
  goals: [{ metric: 'bytesPerConnection', label: 'bytes per idle client', against: 'value', better: 'lower', must: 1024, aim: 512 }],
  mostRounds: 2,
  obstacle: () => (openFilesLimit() < neededFiles ? `needs ulimit -n ${neededFiles}, has ${openFilesLimit()}` : null),
  measure: measureIdle,
}

async function measureIdle(kind: PeerKind, bench: Bench): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, seconds: 60 }
    // Warm code and heaps, with one connection so that no pool grows which would shrink again between the readings.
    await httpLoad({ ...target, connections: 1, seconds: 2 })
    const settled = (): Promise<Memory> => settledMemoryOf(peer.pids)
    await delay(silenceMs)
    const before = await settled()
    return whileHolding({ ...target, connections: few }, async () => {
      const between = await settled()
      const after = await whileHolding({ ...target, connections: many - few }, settled)
      return {
        bytesPerConnection: (after.privateDirty - before.privateDirty) / many,
        bytesPerConnection1k: (between.privateDirty - before.privateDirty) / few,
        beforeMb: before.privateDirty / 1e6,
        afterMb: after.privateDirty / 1e6,
        rssMb: after.rss / 1e6,
      }
    })
  })
}
