/** weir's TCP listener as it comes: one worker, every other value the default. */
import { type PeerKind, probeEcho } from './peer.ts'
import { startWeir, upstreamOf } from './weir.ts'

export const weirTcp: PeerKind = {
  name: 'weir',
  start: (options) => startWeir(options.core, (port) => `${listenerAt(port)}${upstreamOf(options.servers)}`, probeEcho),
}

function listenerAt(port: number): string {
  return `
workers: 1
listeners:
  l4:
    bind: ["127.0.0.1:${port}"]
    protocol: tcp
    upstream: servers
`
}
