// How much CPU does a whole connection cost, from connecting to its orderly end, when it carries one byte each way?
import { type Bench, type Case, type Sample, sharesOf, underLoad, withPeer } from '../lib/case.ts'
import { startEchoes, type TunnelLoad, tunnels } from '../lib/load.ts'
import type { PeerKind } from '../peers/peer.ts'

const connections = 64
// An ended connection may keep its port for a minute. The two servers are known by 32 addresses each, and a measurement ends early
// rather than make so many connections that the proxy would begin to search for free ports.
const addresses = 32
const most = 60_000
const mostWarmUp = 10_000

export const tcpConnect: Case = {
  name: 'tcp-connect',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/connection', better: 'lower' },
    { key: 'rate', label: 'connections/s', better: 'higher' },
    { key: 'busy', label: 'core busy' },
    { key: 'p50', label: 'p50 us' },
    { key: 'p99', label: 'p99 us' },
  ],
  goals: [
    { metric: 'cpuUs', label: 'CPU per connection', against: 'haproxy', better: 'lower' },
    { metric: 'cpuUs', label: 'CPU per connection, better of both', against: 'peers', better: 'lower' },
  ],
  rate: 'rate',
  obstacle: () => null,
  measure: measureConnect,
}

async function measureConnect(kind: PeerKind, bench: Bench): Promise<Sample> {
  const echoes = await startEchoes(bench.cores.load, '0.0.0.0')
  try {
    const servers = Array.from({ length: addresses * 2 }, (_, i) => `127.0.3.${1 + (i >> 1)}:${echoes.ports[i & 1]}`)
    return await withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
      const load: Omit<TunnelLoad, 'seconds'> = { core: bench.cores.load, port: peer.port, mode: 'connect', connections }
      await tunnels({ ...load, seconds: 1, most: mostWarmUp })
      const run = await underLoad(peer, () => tunnels({ ...load, seconds: bench.seconds, most }))
      const { completed, rate, p50, p99 } = run.result
      return { cpuUs: run.ranNs / 1000 / completed, rate, ...sharesOf(run), p50, p99 }
    })
  } finally {
    await echoes.stop()
  }
}
