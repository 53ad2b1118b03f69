// How much CPU does it cost to pass a message of 64 bytes on and its echo back, and how many does one worker on one core pass on?
import { type Bench, type Case, type Sample, sharesOf, underLoad, withPeer } from '../lib/case.ts'
import { type TunnelLoad, tunnels } from '../lib/load.ts'
import type { PeerKind } from '../peers/peer.ts'

const connections = 64
const messageBytes = 64

export const tcpSmall: Case = {
  name: 'tcp-small',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/exchange', better: 'lower' },
    { key: 'rate', label: 'exchanges/s', better: 'higher' },
    { key: 'busy', label: 'core busy' },
    { key: 'p50', label: 'p50 us' },
    { key: 'p99', label: 'p99 us', better: 'lower' },
  ],
  goals: [
    { metric: 'cpuUs', label: 'CPU per exchange', against: 'haproxy', better: 'lower', must: 1, aim: 0.95 },
    { metric: 'cpuUs', label: 'CPU per exchange, better of both', against: 'peers', better: 'lower' },
    { metric: 'p99', label: 'p99, better of both', against: 'peers', better: 'lower' },
  ],
  rate: 'rate',
  obstacle: () => null,
  measure: measureSmall,
}

async function measureSmall(kind: PeerKind, bench: Bench): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const load: Omit<TunnelLoad, 'seconds'> = {
      core: bench.cores.load,
      port: peer.port,
      mode: 'exchange',
      connections,
      bytes: messageBytes,
    }
    await tunnels({ ...load, seconds: 1 })
    const run = await underLoad(peer, () => tunnels({ ...load, seconds: bench.seconds }))
    const { completed, rate, p50, p99 } = run.result
    return { cpuUs: run.ranNs / 1000 / completed, rate, ...sharesOf(run), p50, p99 }
  })
}
