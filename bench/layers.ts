/** What is compared on each layer, and the suites that are made of it. A peer has the same name on all layers. */
import { http16k } from './cases/http-16k.ts'
import { httpConnect } from './cases/http-connect.ts'
import { httpLarge } from './cases/http-large.ts'
import { httpLatency } from './cases/http-latency.ts'
import { httpLatency25 } from './cases/http-latency-25.ts'
import { httpLatency50 } from './cases/http-latency-50.ts'
import { httpManyServers } from './cases/http-many-servers.ts'
import { httpSmall } from './cases/http-small.ts'
import { httpSmall2Workers } from './cases/http-small-2-workers.ts'
import { idleMemory } from './cases/idle-memory.ts'
import { tcpBulk1m } from './cases/tcp-bulk-1m.ts'
import { tcpBulk64m } from './cases/tcp-bulk-64m.ts'
import { tcpConnect } from './cases/tcp-connect.ts'
import { tcpSmall } from './cases/tcp-small.ts'
import { tlsHandshakes } from './cases/tls-handshakes.ts'
import { tlsHandshakesRsa } from './cases/tls-handshakes-rsa.ts'
import { tlsIdleMemory } from './cases/tls-idle-memory.ts'
import { tlsLarge } from './cases/tls-large.ts'
import { tlsResumed } from './cases/tls-resumed.ts'
import { tlsSmall } from './cases/tls-small.ts'
import { tls12Handshakes } from './cases/tls12-handshakes.ts'
import { tls12Resumed } from './cases/tls12-resumed.ts'
import type { Case } from './lib/case.ts'
import { type Origins, startEchoes, startOrigins } from './lib/load.ts'
import type { Core } from './lib/processes.ts'
import { apache, apacheAlternatives } from './peers/apache.ts'
import { caddy, caddyAlternatives } from './peers/caddy.ts'
import { direct } from './peers/direct.ts'
import { haproxy, haproxyAlternatives } from './peers/haproxy.ts'
import { haproxyTcp, haproxyTcpAlternatives } from './peers/haproxy-tcp.ts'
import { haproxyTls, haproxyTlsAlternatives } from './peers/haproxy-tls.ts'
import { nginx, nginxAlternatives } from './peers/nginx.ts'
import { nginxTcp, nginxTcpAlternatives } from './peers/nginx-tcp.ts'
import { nginxTls, nginxTlsAlternatives } from './peers/nginx-tls.ts'
import { fastifyHttpProxy, fastProxy, httpProxy } from './peers/npm.ts'
import type { PeerKind } from './peers/peer.ts'
import { weir, weirAlternatives } from './peers/weir.ts'
import { weirTcp } from './peers/weir-tcp.ts'

export type LayerName = 'http' | 'tcp' | 'tls'

export interface Layer {
  cases: Case[]
  peers: PeerKind[]
  startServers(core: Core): Promise<Origins>
}

export const layers: Record<LayerName, Layer> = {
  http: {
    cases: [
      httpSmall,
      httpLatency,
      httpLarge,
      idleMemory,
      httpManyServers,
      http16k,
      httpConnect,
      httpLatency25,
      httpLatency50,
      httpSmall2Workers,
    ],
    peers: [
      nginx,
      haproxy,
      weir,
      ...[caddy, apache, httpProxy, fastProxy, fastifyHttpProxy, direct],
      ...[weirAlternatives, nginxAlternatives, haproxyAlternatives, caddyAlternatives, apacheAlternatives].flat(),
    ],
    startServers: startOrigins,
  },
  tcp: {
    cases: [tcpSmall, tcpBulk1m, tcpBulk64m, tcpConnect],
    peers: [nginxTcp, haproxyTcp, weirTcp, direct, ...nginxTcpAlternatives, ...haproxyTcpAlternatives],
    startServers: startEchoes,
  },
  tls: {
    cases: [tlsHandshakes, tls12Handshakes, tlsHandshakesRsa, tlsResumed, tls12Resumed, tlsSmall, tlsLarge, tlsIdleMemory],
    peers: [nginxTls, haproxyTls, weir, ...nginxTlsAlternatives, ...haproxyTlsAlternatives],
    startServers: startOrigins,
  },
}

/** Cases of one layer, and who is measured in them when nobody says otherwise. */
export interface Stage {
  layer: LayerName
  cases: Case[]
  peers: string[]
}

const three = ['nginx', 'haproxy', 'weir']
const everybody = [...three, 'caddy', 'apache', 'http-proxy', 'fast-proxy', '@fastify/http-proxy']

const peersStages: Stage[] = [
  // http-small comes first: its rates say who can take the rates of the latency cases.
  { layer: 'http', cases: [httpSmall, http16k, httpLarge, httpConnect], peers: everybody },
  { layer: 'http', cases: [httpLatency25, httpLatency50, httpLatency], peers: everybody },
  { layer: 'http', cases: [idleMemory, httpSmall2Workers], peers: everybody },
  // Caddy, Apache and the proxies of npm have no way to a thousand servers or ten thousand routes here that would be theirs.
  { layer: 'http', cases: [httpManyServers], peers: three },
  { layer: 'tcp', cases: [tcpSmall, tcpConnect], peers: three },
  { layer: 'tcp', cases: [tcpBulk1m, tcpBulk64m], peers: [...three, 'haproxy+splice-default-pipe'] },
]
const tlsStages: Stage[] = [{ layer: 'tls', cases: layers.tls.cases, peers: three }]

/** By the word behind `suite.ts`. */
export const suites: Record<string, Stage[]> = {
  http: [{ layer: 'http', cases: [httpSmall, httpLatency, httpLarge, idleMemory, httpManyServers], peers: three }],
  tcp: [{ layer: 'tcp', cases: layers.tcp.cases, peers: three }],
  tls: tlsStages,
  peers: peersStages,
  all: [...peersStages, ...tlsStages],
}

/** Every case there is, with its layer. */
export function allCases(): { layer: LayerName; one: Case }[] {
  return Object.entries(layers).flatMap(([layer, { cases }]) => cases.map((one) => ({ layer: layer as LayerName, one })))
}
