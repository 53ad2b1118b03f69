/** A real nginx that serves a folder, as a server behind the balancer. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './listening.ts'
import { inTime, type Scope, until } from './wait.ts'

export interface Nginx {
  readonly address: string
  readonly port: number
  /** Folder whose files it serves. */
  readonly root: string
}

/** Starts nginx (its path is from `needs`); it ends with the scope. */
export async function startNginx(scope: Scope, program: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-nginx-'))
  const root = join(folder, 'files')
  mkdirSync(root, { mode: 0o755 })
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), settings(folder, root, port))
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'), '-g', 'daemon off;'], {
    stdio: 'inherit',
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.after(async () => {
    child.kill('SIGTERM')
    await inTime(exited, { what: 'the end of nginx' }).catch(() => child.kill('SIGKILL'))
    rmSync(folder, { recursive: true, force: true })
  })
  await until(() => isOpen(port), { what: 'nginx accepts connections' })
  return { address: `127.0.0.1:${port}`, port, root }
}

// `user` lets a root-run nginx read a folder that only root may enter.
function settings(folder: string, root: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')
  return `${user}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  ${temps}
  access_log off;
  etag on;
  gzip on;
  gzip_types text/plain text/css;
  types { text/html html; text/css css; text/plain txt; image/svg+xml svg; text/javascript js; }
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location /again { return 302 /index.html; }
  }
}
`
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
