/** The handshake cases: they differ in version, key and resumption only. */
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, type Sample, sharesOf, underLoad, withPeer } from './case.ts'
import { certificatesObstacle, identityOf, type KeyKind } from './certificates.ts'
import { type HandshakeLoad, handshakes, type TlsVersion } from './tls-load.ts'

const connections = 64

export interface HandshakeKind {
  version: TlsVersion
  key: KeyKind
  resume: boolean
}

/** Connections that do nothing but shake hands; with `--full` also ones that make a small request afterwards. */
export function handshakeCase(name: string, kind: HandshakeKind): Case {
  return {
    name,
    metrics: [
      { key: 'perCpuSecond', label: 'handshakes/CPU s', better: 'higher' },
      { key: 'cpuUs', label: 'CPU us' },
      { key: 'rate', label: 'handshakes/s', better: 'higher' },
      { key: 'busy', label: 'core busy' },
      { key: 'p50', label: 'p50 us' },
      { key: 'p99', label: 'p99 us' },
      { key: 'resets', label: 'resets' },
      { key: 'cpuUsWithRequest', label: 'CPU us with request' },
    ],
    goals: [
      { metric: 'perCpuSecond', label: 'handshakes per CPU second', against: 'peers', better: 'higher', must: 0.95, aim: 1 },
      { metric: 'rate', label: 'handshakes/s of one core', against: 'peers', better: 'higher' },
    ],
    obstacle: certificatesObstacle,
    measure: (peer, bench) => measureHandshakes(peer, bench, kind),
  }
}

async function measureHandshakes(kind: PeerKind, bench: Bench, { version, key, resume }: HandshakeKind): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  const options = { core: bench.cores.proxy, servers, routes: 0, bodies: 'small', tls: identityOf(key) } as const
  return withPeer(kind.start(options), async (peer) => {
    const load: Omit<HandshakeLoad, 'seconds'> = { core: bench.cores.load, port: peer.port, connections, version, resume }
    await handshakes({ ...load, seconds: 1 })
    const run = await underLoad(peer, () => handshakes({ ...load, seconds: bench.seconds }))
    const { completed, rate, p50, p99, resets } = run.result
    const cpuUs = run.ranNs / 1000 / completed
    const sample: Sample = { perCpuSecond: 1e6 / cpuUs, cpuUs, rate, ...sharesOf(run), p50, p99, resets }
    if (bench.full) {
      const asking = await underLoad(peer, () => handshakes({ ...load, seconds: bench.seconds, request: true }))
      sample['cpuUsWithRequest'] = asking.ranNs / 1000 / asking.result.completed
    }
    return sample
  })
}
