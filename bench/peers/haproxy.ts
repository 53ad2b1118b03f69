/** HAProxy as a good operator would run it: one thread, shared keep-alive connections to the servers, no log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { openFilesLimit } from '../lib/machine.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, probeHttps, type RunningPeer, startPeer, workersOf } from './peer.ts'

export interface HaproxyTuning {
  balance: 'leastconn' | 'roundrobin'
  reuse: 'always' | 'safe'
  splice: string
  /** By what is sent through it. */
  global: Record<PeerOptions['bodies'], string>
  /** Words of the line `bind` behind the certificate, where it ends TLS. */
  tls?: string
}

const buffers64k = 'tune.bufsize 65536'

/**
 * The fastest of what was tried. 1 MiB bodies, CPU ms per GB, medians of three rounds in one run each, 2 cores shared with others:
 * 64k buffers 463, the same with splice 577, default buffers 683 · 64k with splice 491, without 533, 32k 587, default 617, 128k 998 ·
 * in an earlier run 64k 410, with splice 435, default 585, default with splice 625. Splice lost two of three times.
 * Small bodies: default buffers 15.7 us, 64k buffers 17.2; 18.7 and 28.2 in a busier run. Undecided, with 10 to 20 % of noise: leastconn
 * 18.2 and roundrobin 17.5; reuse always 18.2 and safe 15.9; with 64k buffers, edge-triggered 25.1 and not 28.2.
 */
export const bestHaproxy: HaproxyTuning = { balance: 'leastconn', reuse: 'always', splice: '', global: { small: '', large: buffers64k } }

/** The others; `--peers haproxy,haproxy+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<HaproxyTuning>> = {
  'round-robin': { balance: 'roundrobin' },
  'reuse-safe': { reuse: 'safe' },
  'edge-triggered': { global: always('expose-experimental-directives\n  tune.fd.edge-triggered on') },
  splice: { splice: 'option splice-auto' },
  'splice-default-buffers': { splice: 'option splice-auto', global: always('') },
  'splice-pipe-1m': { splice: 'option splice-auto', global: always(`${buffers64k}\n  tune.pipesize 1048576`) },
  'default-buffers': { global: always('') },
  'buffers-32k': { global: always('tune.bufsize 32768') },
  'buffers-64k': { global: always(buffers64k) },
  'buffers-128k': { global: always('tune.bufsize 131072') },
}

export const haproxy = haproxyWith('haproxy', bestHaproxy)
export const haproxyAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  haproxyWith(`haproxy+${name}`, { ...bestHaproxy, ...change }),
)

function always(global: string): HaproxyTuning['global'] {
  return { small: global, large: global }
}

/** HAProxy with these settings: over TLS when the options have a certificate. */
export function haproxyWith(name: string, tuning: HaproxyTuning): PeerKind {
  return { name, obstacle: () => notInstalled('haproxy', 'haproxy'), start: (options) => startHaproxy(options, tuning) }
}

async function startHaproxy(options: PeerOptions, tuning: HaproxyTuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('haproxy')
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(file, config(options, tuning, port, directory))
  return startPeer(options.core, port, directory, ['haproxy', '-db', '-f', file], options.tls ? probeHttps : undefined)
}

function config(options: PeerOptions, tuning: HaproxyTuning, port: number, directory: string): string {
  // Every connection may need two descriptors, and half a pipe where it splices; HAProxy refuses to start when they could run out.
  const each = tuning.splice === '' ? 2.05 : 2.6
  const maxConnections = Math.min(16_384, Math.floor((openFilesLimit() - options.servers.length - 300) / each))
  return `
global
  nbthread ${workersOf(options)}
  maxconn ${maxConnections}
  ${tuning.global[options.bodies]}
defaults
  mode http
  balance ${tuning.balance}
  http-reuse ${tuning.reuse}
  ${tuning.splice}
  option forwardfor
  timeout connect 2s
  timeout client 75s
  timeout server 60s
  timeout http-request 10s
  timeout http-keep-alive 75s
frontend web
  bind 127.0.0.1:${port} backlog 4096${options.tls ? ` ssl crt ${options.tls.both} ${tuning.tls ?? ''}` : ''}
  http-request set-header X-Forwarded-Proto ${options.tls ? 'https' : 'http'}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
${options.routes > 0 ? `  use_backend %[path,map_beg(${routeMap(options.routes, directory)},servers)]` : ''}
  default_backend servers
backend servers
${options.servers.map((server, i) => `  server s${i} ${server}`).join('\n')}
`
}

// A prefix map is a tree: the fast way to many routes, where one ACL after the other would be the slow one.
function routeMap(routes: number, directory: string): string {
  const file = join(directory, 'routes.map')
  writeFileSync(file, Array.from({ length: routes }, (_, i) => `/r/${i}/ servers\n`).join(''))
  return file
}
