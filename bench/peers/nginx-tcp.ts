/** nginx's stream proxy as a good operator would run it: one worker, no access log. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, probeEcho, type RunningPeer, startPeer, workersOf } from './peer.ts'

interface Tuning {
  balance: string
  multiAccept: 'on' | 'off'
  /** By what is sent through it. */
  buffer: Record<PeerOptions['bodies'], string>
}

/**
 * The fastest of what was tried. CPU ms per GB, medians of three rounds of one second in one run, 2 cores shared with others, so only
 * coarse: 1 MiB transfers 32k 535, default (16k) 664, 256k 631, 64k 896; 64 MiB transfers 256k 927, default 930, 32k 931, 64k 1181.
 */
const best: Tuning = { balance: 'least_conn;', multiAccept: 'on', buffer: { small: '', large: sized('32k') } }

/** The others; `--peers nginx,nginx+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<Tuning>> = {
  'round-robin': { balance: '' },
  'accept-one': { multiAccept: 'off' },
  'default-buffer': { buffer: always('') },
  'buffer-32k': { buffer: always(sized('32k')) },
  'buffer-64k': { buffer: always(sized('64k')) },
  'buffer-128k': { buffer: always(sized('128k')) },
  'buffer-256k': { buffer: always(sized('256k')) },
}

export const nginxTcp = nginxWith('nginx', best)
export const nginxTcpAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  nginxWith(`nginx+${name}`, { ...best, ...change }),
)

function sized(size: string): string {
  return `proxy_buffer_size ${size};`
}

function always(buffer: string): Tuning['buffer'] {
  return { small: buffer, large: buffer }
}

function nginxWith(name: string, tuning: Tuning): PeerKind {
  return { name, obstacle: () => notInstalled('nginx', 'nginx libnginx-mod-stream'), start: (options) => startNginx(options, tuning) }
}

async function startNginx(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('nginx')
  const port = await freePort()
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, config(options, tuning, port, directory))
  return startPeer(options.core, port, directory, ['nginx', '-p', directory, '-c', file, '-e', join(directory, 'error.log')], probeEcho)
}

function config(options: PeerOptions, tuning: Tuning, port: number, directory: string): string {
  return `
${loadModule()}
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workersOf(options)};
pid ${join(directory, 'nginx.pid')};
error_log ${join(directory, 'error.log')} warn;
events { worker_connections 16384; multi_accept ${tuning.multiAccept}; }
stream {
  access_log off;
  tcp_nodelay on;
  proxy_connect_timeout 2s;
  proxy_timeout 1h;
  ${tuning.buffer[options.bodies]}
  upstream servers {
    ${tuning.balance}
${options.servers.map((server) => `    server ${server};`).join('\n')}
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_pass servers;
  }
}
`
}

// Debian has it in a package of its own (libnginx-mod-stream); elsewhere it may be part of the program.
function loadModule(): string {
  const built = execFileSync('sh', ['-c', 'nginx -V 2>&1'], { encoding: 'utf8' })
  const file = join(/--modules-path=(\S+)/.exec(built)?.[1] ?? '/usr/lib/nginx/modules', 'ngx_stream_module.so')
  return existsSync(file) ? `load_module ${file};` : ''
}
