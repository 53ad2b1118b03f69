// How much CPU does one small HTTP request cost, and how many does one worker on one core forward per second?
import { type Bench, type Case, type Sample, underLoad, withPeer } from '../lib/case.ts'
import { wrk } from '../lib/load.ts'
import { memoryOf } from '../lib/memory.ts'
import type { PeerKind } from '../peers/peer.ts'

const moreConnections = [1, 8, 512]

export const httpSmall: Case = {
  name: 'http-small',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/req' },
    { key: 'rps', label: 'req/s' },
    { key: 'busy', label: 'core busy' },
    { key: 'rssMb', label: 'RSS MB' },
    ...moreConnections.flatMap((count) => [
      { key: `cpuUs${count}`, label: `CPU us/req c${count}` },
      { key: `rps${count}`, label: `req/s c${count}` },
    ]),
  ],
  goals: [
    { metric: 'cpuUs', label: 'CPU per request', against: 'peers', better: 'lower', must: 0.95, aim: 0.85 },
    { metric: 'rps', label: 'req/s of one core', against: 'peers', better: 'higher', must: 1.05, aim: 1.2 },
  ],
  obstacle: () => null,
  measure: measureSmall,
}

async function measureSmall(kind: PeerKind, bench: Bench): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const load = (connections: number, seconds: number) => wrk({ core: bench.cores.load, port: peer.port, connections, seconds })
    await load(64, 1)
    const main = await underLoad(peer, () => load(64, bench.seconds))
    const sample: Sample = {
      cpuUs: main.ranNs / 1000 / main.result.requests,
      rps: main.result.requestsPerSecond,
      busy: main.busy,
      waited: main.waited,
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
