// How long does a client wait when requests come at 70 % of the rate that nginx can take at most?
import { type Bench, type Case, type Sample, underLoad, withPeer } from '../lib/case.ts'
import { pace, wrk } from '../lib/load.ts'
import { nginx } from '../peers/nginx.ts'
import type { PeerKind } from '../peers/peer.ts'

const share = 0.7
const connections = 64

export const httpLatency: Case = {
  name: 'http-latency',
  metrics: [
    { key: 'p50', label: 'p50 us' },
    { key: 'p99', label: 'p99 us' },
    { key: 'p999', label: 'p99.9 us' },
    { key: 'rate', label: 'req/s' },
    { key: 'cpuUs', label: 'CPU us/req' },
    { key: 'late', label: 'late sends' },
    { key: 'unsent', label: 'unsent' },
  ],
  goals: [
    { metric: 'p99', label: 'p99 at 70 %', against: 'peers', better: 'lower', must: 1, aim: 0.8 },
    { metric: 'p999', label: 'p99.9 at 70 %', against: 'peers', better: 'lower', must: 1, aim: 0.8 },
  ],
  obstacle: () => null,
  measure: measureLatency,
}

async function measureLatency(kind: PeerKind, bench: Bench): Promise<Sample> {
  if (bench.nginxMaximum.value === 0) bench.nginxMaximum.value = await maximumOfNginx(bench)
  const rate = Math.round(bench.nginxMaximum.value * share)
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections }
    await wrk({ ...target, seconds: 1 })
    const run = await underLoad(peer, () => pace({ ...target, rate, seconds: bench.seconds }))
    const { p50, p99, p999, late, unsent, answered } = run.result
    return { p50, p99, p999, late, unsent, rate: run.result.rate, cpuUs: run.ranNs / 1000 / answered, waited: run.waited }
  })
}

async function maximumOfNginx(bench: Bench): Promise<number> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(nginx.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections }
    await wrk({ ...target, seconds: 1 })
    return (await wrk({ ...target, seconds: bench.seconds })).requestsPerSecond
  })
}
