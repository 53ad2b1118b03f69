// How much more does a request cost with 1,000 servers instead of 2, and with 10,000 routes instead of 1?
import { type Bench, type Case, type Sample, Unable, underLoad, withPeer } from '../lib/case.ts'
import { pace, startOrigins } from '../lib/load.ts'
import { openFilesLimit } from '../lib/machine.ts'
import type { PeerKind } from '../peers/peer.ts'

const serverCount = 1_000
const routeCount = 10_000
/**
 * Requests per second. The same with few and with many: who is at the limit of its core finds many requests at each wake-up and servers that
 * need no waking, so that its cost at most says how busy it is, and not how many servers it has.
 */
const rate = 10_000

export const httpManyServers: Case = {
  name: 'http-many-servers',
  metrics: [
    { key: 'cpuUs', label: 'CPU us/req' },
    { key: 'cpuUsServers', label: '1,000 servers', better: 'lower' },
    { key: 'cpuUsRoutes', label: '10,000 routes', better: 'lower' },
    { key: 'servers', label: 'servers ratio' },
    { key: 'routes', label: 'routes ratio' },
  ],
  goals: [
    { metric: 'servers', label: '1,000 servers against 2', against: 'value', better: 'lower', must: 1.2, aim: 1.05 },
    { metric: 'routes', label: '10,000 routes against 1', against: 'value', better: 'lower', must: 1.2, aim: 1.05 },
  ],
  obstacle: () => (openFilesLimit() < 8_000 ? `needs ulimit -n 8000, has ${openFilesLimit()}` : null),
  measure: measureMany,
}

interface Shape {
  servers: number
  routes: number
}

async function measureMany(kind: PeerKind, bench: Bench): Promise<Sample> {
  const few = await costOf(kind, bench, { servers: 2, routes: 0 })
  const servers = await costOf(kind, bench, { servers: serverCount, routes: 0 })
  const routes = await costOf(kind, bench, { servers: 2, routes: routeCount })
  return { cpuUs: few, cpuUsServers: servers, cpuUsRoutes: routes, servers: servers / few, routes: routes / few }
}

/** CPU microseconds per request. Requests take every route in turn, so the answer is not one warm entry's. */
async function costOf(kind: PeerKind, bench: Bench, shape: Shape): Promise<number> {
  // The same two programs on every loopback address: what differs is the proxy's work, not the servers'.
  const origins = await startOrigins(bench.cores.load, '0.0.0.0')
  try {
    const servers = Array.from({ length: shape.servers }, (_, i) => `${loopbackAddress(i >> 1)}:${origins.ports[i & 1]}`)
    return await withPeer(kind.start({ core: bench.cores.proxy, servers, routes: shape.routes, bodies: 'small' }), async (peer) => {
      const target = { core: bench.cores.load, port: peer.port, connections: 64, rate, path: '/r/#/x', spread: routeCount }
      await pace({ ...target, seconds: 1 })
      const run = await underLoad(peer, () => pace({ ...target, seconds: bench.seconds }))
      if (run.result.rate < rate * 0.98 && run.stolen < 0.01)
        throw new Unable(`cannot take ${rate} requests/s with ${shape.servers} servers and ${shape.routes} routes`)
      return run.ranNs / 1000 / run.result.answered
    })
  } finally {
    await origins.stop()
  }
}

function loopbackAddress(index: number): string {
  return `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`
}
