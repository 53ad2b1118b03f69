/** nginx as a good operator would run it: one worker, keep-alive to the servers, no access log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type RunningPeer, startPeer } from './peer.ts'

interface Tuning {
  balance: string
  multiAccept: 'on' | 'off'
  buffering: string
  extra: string
}

const best: Tuning = {
  balance: 'least_conn;',
  multiAccept: 'on',
  buffering: 'proxy_buffering off; proxy_buffers 8 32k; proxy_buffer_size 32k;',
  extra: '',
}

/** Alternatives that were tried; `--peers nginx+round-robin` measures one against the choice above. */
const alternatives: Record<string, Partial<Tuning>> = {
  'round-robin': { balance: '' },
  'accept-one': { multiAccept: 'off' },
  'coarse-clock': { extra: 'timer_resolution 100ms;' },
  'buffers-16k': { buffering: 'proxy_buffers 32 16k; proxy_buffer_size 8k;' },
  'buffers-64k': { buffering: 'proxy_buffers 16 64k; proxy_buffer_size 8k; proxy_busy_buffers_size 128k;' },
  'default-buffers': { buffering: '' },
  'unbuffered-16k': { buffering: 'proxy_buffering off; proxy_buffers 8 16k; proxy_buffer_size 16k;' },
  'unbuffered-64k': { buffering: 'proxy_buffering off; proxy_buffers 8 64k; proxy_buffer_size 64k;' },
}

export const nginx = nginxWith('nginx', best)
export const nginxAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  nginxWith(`nginx+${name}`, { ...best, ...change }))

function nginxWith(name: string, tuning: Tuning): PeerKind {
  return { name, start: options => startNginx(options, tuning) }
}

async function startNginx(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('nginx')
  const port = await freePort()
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, config(options, tuning, port, directory))
  return startPeer(options.core, port, directory, ['nginx', '-p', directory, '-c', file, '-e', join(directory, 'error.log')])
}

function config(options: PeerOptions, tuning: Tuning, port: number, directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `  ${kind}_temp_path ${join(directory, kind)};`)
  const routes = Array.from({ length: options.routes }, (_, i) => `    location ^~ /r/${i}/ { proxy_pass http://servers; }`)
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
${tuning.extra}
pid ${join(directory, 'nginx.pid')};
error_log ${join(directory, 'error.log')} warn;
events { worker_connections 16384; multi_accept ${tuning.multiAccept}; }
http {
${paths.join('\n')}
  access_log off;
  tcp_nodelay on;
  server_tokens off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  proxy_max_temp_file_size 0;
  ${tuning.buffering}
  upstream servers {
    ${tuning.balance}
${options.servers.map(server => `    server ${server};`).join('\n')}
    keepalive ${Math.max(256, options.servers.length * 2)};
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
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
