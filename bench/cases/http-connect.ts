// How much CPU does a connection with one small request and `Connection: close` cost, and how many does one core serve per second?
import { type Bench, type Case, type Sample, sharesOf, underLoad, withPeer } from '../lib/case.ts'
import { oneShots, startOrigins } from '../lib/load.ts'
import type { PeerKind } from '../peers/peer.ts'

const connections = 64

export const httpConnect: Case = {
  name: 'http-connect',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/connection', better: 'lower' },
    { key: 'rate', label: 'connections/s', better: 'higher' },
    { key: 'busy', label: 'core busy' },
    { key: 'loadBusy', label: 'load busy' },
    { key: 'p50', label: 'p50 us' },
    { key: 'p99', label: 'p99 us' },
    { key: 'resets', label: 'resets' },
  ],
  goals: [
    { metric: 'cpuUs', label: 'CPU per connection', against: 'peers', better: 'lower' },
    { metric: 'rate', label: 'connections/s of one core', against: 'peers', better: 'higher' },
  ],
  rate: 'rate',
  obstacle: () => null,
  measure: measureConnect,
}

/** Proxies keep their connections to the servers all the same. Without a proxy it is the servers that must end the connections. */
async function measureConnect(kind: PeerKind, bench: Bench): Promise<Sample> {
  if (kind.name !== 'direct') return measureAt(kind, bench, bench.origins)
  const closing = await startOrigins(bench.cores.load, '127.0.0.1', ['--close', '1'])
  try {
    return await measureAt(kind, bench, closing.ports)
  } finally {
    await closing.stop()
  }
}

async function measureAt(kind: PeerKind, bench: Bench, ports: Bench['origins']): Promise<Sample> {
  const servers = ports.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const load = { core: bench.cores.load, port: peer.port, connections }
    await oneShots({ ...load, seconds: kind.warmUp ?? 1 })
    const run = await underLoad(peer, () => oneShots({ ...load, seconds: bench.seconds }))
    const { completed, rate, p50, p99, resets } = run.result
    return { cpuUs: run.ranNs / 1000 / completed, rate, ...sharesOf(run), p50, p99, resets }
  })
}
