/** What the TLS cases on connections that stay have in common: a peer that ends TLS 1.3 with the ECDSA certificate. */
import type { PeerKind, PeerOptions, RunningPeer } from '../peers/peer.ts'
import { type Bench, type Sample, withPeer } from './case.ts'
import { identityOf } from './certificates.ts'
import type { TlsLoad } from './tls-load.ts'

/** Where the clients go, but for how long. */
export type TlsTarget = Omit<TlsLoad, 'seconds' | 'connections'>

/** Starts a peer with TLS for as long as `during` runs. */
export function withTlsPeer(
  kind: PeerKind,
  bench: Bench,
  bodies: PeerOptions['bodies'],
  during: (peer: RunningPeer, target: TlsTarget) => Promise<Sample>,
): Promise<Sample> {
  const servers = bench.origins.map((port) => `127.0.0.1:${port}`)
  const running = kind.start({ core: bench.cores.proxy, servers, routes: 0, bodies, tls: identityOf('ecdsa') })
  return withPeer(running, (peer) => during(peer, { core: bench.cores.load, port: peer.port, version: '1.3' }))
}
