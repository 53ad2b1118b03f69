/** The cases of latency at a fixed rate: they differ in the rate only, a share of what nginx can take at most. */
import { nginx } from '../peers/nginx.ts'
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, type Goal, type Quiet, type Sample, sharesOf, Unable, underLoad, withPeer } from './case.ts'
import { httpLoad, pace } from './load.ts'
import { text } from './numbers.ts'

const connections = 64

/** A hypervisor that takes 10 ms puts them into every percentile above the median, whoever is measured. */
const quiet: Quiet = { stolen: 0.002, tries: 10 }

/** Requests at `share` (0 to 1) of nginx's maximum, whether answers come or not. With `must` and `aim` the budget judges p99 and p99.9. */
export function latencyCase(name: string, share: number, limits?: { must: number; aim: number }): Case {
  const percent = `${Math.round(share * 100)} %`
  const goal = (metric: string, label: string): Goal => ({
    metric,
    label: `${label} at ${percent}`,
    against: 'peers',
    better: 'lower',
    ...limits,
  })
  return {
    name,
    isPaced: true,
    metrics: [
      { key: 'p50', label: 'p50 us', better: 'lower' },
      { key: 'p99', label: 'p99 us', better: 'lower' },
      { key: 'p999', label: 'p99.9 us', better: 'lower' },
      { key: 'rate', label: 'req/s' },
      { key: 'cpuUs', label: 'CPU us/req', better: 'lower' },
      { key: 'stolen', label: 'stolen' },
      { key: 'late', label: 'late sends' },
      { key: 'unsent', label: 'unsent' },
      { key: 'loadBusy', label: 'load busy' },
    ],
    goals: [goal('p99', 'p99'), goal('p999', 'p99.9')],
    obstacle: () => {
      const missing = nginx.obstacle?.() ?? null
      return missing === null ? null : `the rate is a share of nginx's maximum, and ${missing}`
    },
    measure: (kind, bench) => measureLatency(kind, bench, share),
  }
}

async function measureLatency(kind: PeerKind, bench: Bench, share: number): Promise<Sample> {
  if (bench.nginxMaximum.value === 0) bench.nginxMaximum.value = await maximumOfNginx(bench)
  const rate = Math.round(bench.nginxMaximum.value * share)
  refuseTooSlow(kind, rate, bench.maxima?.get(kind.name))
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections }
    const warmUp = await httpLoad({ ...target, seconds: kind.warmUp ?? 1 })
    if (!bench.maxima?.has(kind.name)) refuseTooSlow(kind, rate, warmUp.requestsPerSecond)
    const run = await underLoad(peer, () => pace({ ...target, rate, seconds: bench.seconds }), quiet)
    const { p50, p99, p999, late, unsent, answered } = run.result
    return { p50, p99, p999, late, unsent, rate: run.result.rate, cpuUs: run.ranNs / 1000 / answered, ...sharesOf(run) }
  })
}

/** A peer that cannot keep up has a queue that grows as long as one measures: its latency would be the length of the run. */
function refuseTooSlow(kind: PeerKind, rate: number, maximum: number | undefined): void {
  if (maximum === undefined || maximum >= rate) return
  throw new Unable(`cannot take the rate of ${text(rate)} requests/s: ${kind.name} ends at ${text(maximum)}`)
}

async function maximumOfNginx(bench: Bench): Promise<number> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  return withPeer(nginx.start({ core: bench.cores.proxy, servers, routes: 0, bodies: 'small' }), async (peer) => {
    const target = { core: bench.cores.load, port: peer.port, connections }
    await httpLoad({ ...target, seconds: 1 })
    return (await httpLoad({ ...target, seconds: bench.seconds })).requestsPerSecond
  })
}
