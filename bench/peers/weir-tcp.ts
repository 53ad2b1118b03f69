/** weir's TCP listener as it comes: one worker unless more are asked for, every other value the default. */
import { type PeerKind, probeEcho, workersOf } from './peer.ts'
import { startWeir, upstreamOf, weirObstacle } from './weir.ts'

export const weirTcp: PeerKind = {
  name: 'weir',
  obstacle: weirObstacle,
  start: (options) => startWeir(options.core, (port) => `${listenerAt(port, workersOf(options))}${upstreamOf(options.servers)}`, probeEcho),
}

function listenerAt(port: number, workers: number): string {
  return `
workers: ${workers}
listeners:
  l4:
    bind: ["127.0.0.1:${port}"]
    protocol: tcp
    upstream: servers
`
}
