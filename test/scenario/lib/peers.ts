/** HAProxy and nginx with settings of a test's own: the other ends of the PROXY protocol, and TLS origins. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeCertificate } from './certificates.ts'
import { entriesOf, findTool, folderFor, output, startTool } from './tools.ts'
import type { Scope } from './wait.ts'

/** Starts HAProxy with these proxies (`frontend`, `backend` and `listen` sections); `ports` are those that they bind. */
export async function startHaproxy(scope: Scope, program: string, ports: number[], sections: string): Promise<void> {
  const folder = folderFor(scope, 'haproxy')
  const path = join(folder, 'haproxy.cfg')
  writeFileSync(path, `global\n  maxconn 500\ndefaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n${sections}\n`)
  await startTool(scope, program, ['-db', '-f', path], { ports })
}

export interface NginxSections {
  /** What stands in `http { … }` and in `stream { … }`. */
  http?: string
  stream?: string
}

/** Starts nginx with these sections; `ports` are those that they bind. */
export async function startNginxWith(scope: Scope, program: string, ports: number[], { http, stream }: NginxSections): Promise<void> {
  const folder = folderFor(scope, 'nginx')
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
  const module = stream === undefined ? undefined : streamModule()
  const settings = [
    module === undefined ? '' : `load_module ${module};`,
    // It lets a root-run nginx read a folder that only root may enter.
    process.getuid?.() === 0 ? 'user root;' : '',
    `worker_processes 1;\npid ${folder}/nginx.pid;\nevents { worker_connections 512; }`,
    http === undefined ? '' : `http {\n${temps}\naccess_log off;\n${http}\n}`,
    stream === undefined ? '' : `stream {\n${stream}\n}`,
  ].join('\n')
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, settings)
  await startTool(scope, program, ['-p', folder, '-c', path, '-e', join(folder, 'error.log'), '-g', 'daemon off;'], { ports })
}

/** Full path of an nginx that proxies TCP; otherwise the test is skipped, which says why, and the answer is undefined. */
export async function needsNginxStream(t: TestContext): Promise<string | undefined> {
  const program = findTool('nginx')
  if (program !== undefined && (streamModule() !== undefined || (await hasStreamInside(program)))) return program
  t.skip('needs nginx with its stream module (Debian: libnginx-mod-stream), which is not installed')
  return undefined
}

/** Where Debian puts it: a module of its own, so it has to be loaded. */
function streamModule(): string | undefined {
  return ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules']
    .filter((folder) => entriesOf(folder).includes('ngx_stream_module.so'))
    .map((folder) => join(folder, 'ngx_stream_module.so'))[0]
}

// It prints its build options to standard error.
async function hasStreamInside(program: string): Promise<boolean> {
  return / --with-stream( |$)/m.test(await output('/bin/sh', ['-c', '"$0" -V 2>&1', program]))
}

export interface CertificateFiles {
  cert: string
  key: string
}

/** Where a new certificate for one name and its key are, for programs that read files. */
export async function certificateFor(scope: Scope, name: string): Promise<CertificateFiles> {
  const { path, keyPath } = await makeCertificate(scope, name)
  return { cert: path, key: keyPath }
}
