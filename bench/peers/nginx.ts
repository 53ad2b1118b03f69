/**
 * nginx as a good operator would run it: one worker unless more are asked for, keep-alive to the servers, no access log. More workers have a
 * socket each (reuseport): with one for all, multi_accept lets the first one awake take every connection that waits.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, probeHttps, type RunningPeer, startPeer, workersOf } from './peer.ts'

export interface NginxTuning {
  balance: string
  multiAccept: 'on' | 'off'
  /** By what is sent through it. */
  buffering: Record<PeerOptions['bodies'], string>
  extra: string
  /** Of the format `combined`, buffered as its manual recommends. */
  hasAccessLog?: boolean
  /** Beside the certificate, where it ends TLS; by what is sent through it. */
  tls?: Record<PeerOptions['bodies'], string>
}

const unbuffered32k = 'proxy_buffering off; proxy_buffers 8 32k; proxy_buffer_size 32k;'

/**
 * The fastest of what was tried. 1 MiB bodies, CPU ms per GB, medians of three rounds in one run each, 2 cores shared with others:
 * unbuffered-32k 412, buffered with the default sizes 684, 32 x 16k 695, unbuffered-64k 758 · unbuffered-32k 438, unbuffered-16k 499,
 * default 711 · in an earlier run default 587, 32 x 16k 649, 8 x 256k 769, 16 x 64k 908. Bigger buffers leave the cache.
 * Small bodies: least_conn 15.5 us, round robin 15.7, multi_accept off 15.5: no difference. Undecided, the machine was too busy: default
 * buffers 17.4 with a coarse clock 14.8 (±22 %) and unbuffered-32k 14.3 in one run, default 18.2 and unbuffered-32k 19.1 in another.
 */
export const bestNginx: NginxTuning = {
  balance: 'least_conn;',
  multiAccept: 'on',
  buffering: { small: '', large: unbuffered32k },
  extra: '',
}

/** The others; `--peers nginx,nginx+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<NginxTuning>> = {
  'access-log': { hasAccessLog: true },
  'round-robin': { balance: '' },
  'accept-one': { multiAccept: 'off' },
  'coarse-clock': { extra: 'timer_resolution 100ms;' },
  'default-buffers': { buffering: always('') },
  'buffers-16k': { buffering: always('proxy_buffers 32 16k; proxy_buffer_size 8k;') },
  'buffers-64k': { buffering: always('proxy_buffers 16 64k; proxy_buffer_size 8k; proxy_busy_buffers_size 128k;') },
  unbuffered: { buffering: always('proxy_buffering off;') },
  'unbuffered-16k': { buffering: always('proxy_buffering off; proxy_buffers 8 16k; proxy_buffer_size 16k;') },
  'unbuffered-32k': { buffering: always(unbuffered32k) },
  'unbuffered-64k': { buffering: always('proxy_buffering off; proxy_buffers 8 64k; proxy_buffer_size 64k;') },
}

export const nginx = nginxWith('nginx', bestNginx)
export const nginxAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  nginxWith(`nginx+${name}`, { ...bestNginx, ...change }),
)

function always(buffering: string): NginxTuning['buffering'] {
  return { small: buffering, large: buffering }
}

/** nginx with these settings: over TLS when the options have a certificate. */
export function nginxWith(name: string, tuning: NginxTuning): PeerKind {
  return { name, obstacle: () => notInstalled('nginx', 'nginx libnginx-mod-stream'), start: (options) => startNginx(options, tuning) }
}

async function startNginx(options: PeerOptions, tuning: NginxTuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('nginx')
  const port = await freePort()
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, config(options, tuning, port, directory))
  const command = ['nginx', '-p', directory, '-c', file, '-e', join(directory, 'error.log')]
  return startPeer(options.core, port, directory, command, options.tls ? probeHttps : undefined)
}

function config(options: PeerOptions, tuning: NginxTuning, port: number, directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${join(directory, kind)};`)
  const routes = Array.from({ length: options.routes }, (_, i) => `    location ^~ /r/${i}/ { proxy_pass http://servers; }`)
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workersOf(options)};
${tuning.extra}
pid ${join(directory, 'nginx.pid')};
error_log ${join(directory, 'error.log')} warn;
events { worker_connections 16384; multi_accept ${tuning.multiAccept}; }
http {
${paths.join('\n')}
  access_log ${tuning.hasAccessLog ? `${join(directory, 'access.log')} combined buffer=64k flush=1s` : 'off'};
  tcp_nodelay on;
  server_tokens off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  proxy_max_temp_file_size 0;
  ${tuning.buffering[options.bodies]}
  upstream servers {
    ${tuning.balance}
${options.servers.map((server) => `    server ${server};`).join('\n')}
    keepalive ${Math.max(256, options.servers.length * 2)};
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} ${options.tls ? 'ssl ' : ''}${workersOf(options) > 1 ? 'reuseport ' : ''}backlog=4096;
${tlsLines(options, tuning)}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    location / { proxy_pass http://servers; }
${routes.join('\n')}
  }
}
`
}

function tlsLines({ tls, bodies }: PeerOptions, tuning: NginxTuning): string {
  if (!tls) return ''
  return `    ssl_certificate ${tls.certificate};\n    ssl_certificate_key ${tls.key};\n    ${tuning.tls?.[bodies] ?? ''}`
}
