/** HAProxy in TCP mode as a good operator would run it: one thread, splicing, no log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { openFilesLimit } from '../lib/machine.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, probeEcho, type RunningPeer, startPeer, workersOf } from './peer.ts'

type ByBodies = Record<PeerOptions['bodies'], string>

interface Tuning {
  balance: 'leastconn' | 'roundrobin'
  extra: string
  /** By what is sent through it. */
  splice: ByBodies
  global: ByBodies
}

const spliceAuto = 'option splice-auto'
const spliceAlways = 'option splice-request\n  option splice-response'
const pipe1m = 'tune.pipesize 1048576'

/**
 * The fastest of what was tried, and what really splices: strace saw `splice-auto` copy bulk transfers with recv and send and never
 * splice, while `splice-request` and `splice-response` splice everything. Large transfers get these, small messages `splice-auto`:
 * 13.8 us each, spliced 16.8. Medians of three rounds of one second in one run each, 2 cores shared with others, so only coarse.
 * 1 MiB transfers, CPU ms per GB: pipes of 256 KiB 562, of 1 MiB 594, splice-auto 613, pipes of the default 64 KiB 719; in an earlier
 * run splice-auto 606, copying with 64k buffers 846. 64 MiB transfers: pipes of 1 MiB 213, of 256 KiB 346, default 474, splice-auto 958.
 * Undecided: messages 14.8 us, with smart-connect 14.9, edge-triggered 15.4; connections 78.9 us, 84.3 and 77.0.
 */
const best: Tuning = {
  balance: 'leastconn',
  extra: '',
  splice: { small: spliceAuto, large: spliceAlways },
  global: { small: '', large: pipe1m },
}

/** The others; `--peers haproxy,haproxy+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<Tuning>> = {
  'round-robin': { balance: 'roundrobin' },
  'smart-connect': { extra: 'option tcp-smart-accept\n  option tcp-smart-connect' },
  'edge-triggered': { global: { small: edgeTriggered(''), large: edgeTriggered(pipe1m) } },
  copy: { splice: always(''), global: always('') },
  'copy-64k': { splice: always(''), global: always('tune.bufsize 65536') },
  'splice-auto': { splice: always(spliceAuto), global: always('') },
  'splice-auto-pipe-1m': { splice: always(spliceAuto), global: always(pipe1m) },
  'splice-default-pipe': { splice: always(spliceAlways), global: always('') },
  'splice-pipe-256k': { splice: always(spliceAlways), global: always('tune.pipesize 262144') },
  'splice-pipe-1m': { splice: always(spliceAlways), global: always(pipe1m) },
}

export const haproxyTcp = haproxyWith('haproxy', best)
export const haproxyTcpAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  haproxyWith(`haproxy+${name}`, { ...best, ...change }),
)

function always(text: string): ByBodies {
  return { small: text, large: text }
}

function edgeTriggered(more: string): string {
  return `expose-experimental-directives\n  tune.fd.edge-triggered on\n  ${more}`
}

function haproxyWith(name: string, tuning: Tuning): PeerKind {
  return { name, obstacle: () => notInstalled('haproxy', 'haproxy'), start: (options) => startHaproxy(options, tuning) }
}

async function startHaproxy(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('haproxy')
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(file, config(options, tuning, port))
  return startPeer(options.core, port, directory, ['haproxy', '-db', '-f', file], probeEcho)
}

function config(options: PeerOptions, tuning: Tuning, port: number): string {
  // Every connection may need two descriptors and half a pipe, and HAProxy refuses to start when they could run out.
  const maxConnections = Math.min(16_384, Math.floor((openFilesLimit() - options.servers.length - 300) / 2.6))
  return `
global
  nbthread ${workersOf(options)}
  maxconn ${maxConnections}
  ${tuning.global[options.bodies]}
defaults
  mode tcp
  balance ${tuning.balance}
  ${tuning.splice[options.bodies]}
  ${tuning.extra}
  timeout connect 2s
  timeout client 1h
  timeout server 1h
frontend l4
  bind 127.0.0.1:${port} backlog 4096
  default_backend servers
backend servers
${options.servers.map((server, i) => `  server s${i} ${server}`).join('\n')}
`
}
