/** HAProxy as a good operator would run it: one thread, shared keep-alive connections to the servers, no log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFilesLimit } from '../lib/machine.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type RunningPeer, startPeer } from './peer.ts'

interface Tuning {
  balance: 'leastconn' | 'roundrobin'
  reuse: 'always' | 'safe'
  bulk: string
  global: string
}

const best: Tuning = { balance: 'leastconn', reuse: 'always', bulk: '', global: 'tune.bufsize 65536' }

/** Alternatives that were tried; `--peers haproxy+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<Tuning>> = {
  'round-robin': { balance: 'roundrobin' },
  'reuse-safe': { reuse: 'safe' },
  'edge-triggered': { global: 'tune.bufsize 65536\n  expose-experimental-directives\n  tune.fd.edge-triggered on' },
  'default-buffers': { global: '' },
  'splice-default-buffers': { bulk: 'option splice-auto', global: '' },
  'splice': { bulk: 'option splice-auto' },
  'splice-pipe-1m': { bulk: 'option splice-auto', global: 'tune.bufsize 65536\n  tune.pipesize 1048576' },
  'buffers-32k': { global: 'tune.bufsize 32768' },
  'buffers-128k': { global: 'tune.bufsize 131072' },
}

export const haproxy = haproxyWith('haproxy', best)
export const haproxyAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  haproxyWith(`haproxy+${name}`, { ...best, ...change }))

function haproxyWith(name: string, tuning: Tuning): PeerKind {
  return { name, start: options => startHaproxy(options, tuning) }
}

async function startHaproxy(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('haproxy')
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(file, config(options, tuning, port, directory))
  return startPeer(options.core, port, directory, ['haproxy', '-db', '-f', file])
}

function config(options: PeerOptions, tuning: Tuning, port: number, directory: string): string {
  // Every connection may need two descriptors and half a pipe, and HAProxy refuses to start when they could run out.
  const maxConnections = Math.min(16_384, Math.floor((openFilesLimit() - options.servers.length - 300) / 2.6))
  return `
global
  nbthread 1
  maxconn ${maxConnections}
  ${tuning.global}
defaults
  mode http
  balance ${tuning.balance}
  http-reuse ${tuning.reuse}
  ${tuning.bulk}
  option forwardfor
  timeout connect 2s
  timeout client 75s
  timeout server 60s
  timeout http-request 10s
  timeout http-keep-alive 75s
frontend web
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
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
