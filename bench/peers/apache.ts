/**
 * Apache httpd as a good operator would run it: mpm_event with one process per worker, mod_proxy_balancer by busyness over kept connections.
 * Off: access log, .htaccess (AllowOverride), host name lookups, every module that this work does not need. X-Forwarded-For and -Host come
 * from mod_proxy itself (with X-Forwarded-Server, which it always adds), -Proto from mod_headers.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type RunningPeer, startPeer, workersOf } from './peer.ts'

interface Tuning {
  balance: 'bybusyness' | 'byrequests'
  /** Threads of one process: as many exchanges can be under way at a time. */
  threads: number
  /** By what is sent through it. */
  buffer: Record<PeerOptions['bodies'], string>
}

const buffer64k = 'ProxyIOBufferSize 65536'

/**
 * Idle clients are kept by the listener thread and need no other; AsyncRequestWorkerFactor says how many there may be per idle thread.
 * What may be tried with `--peers apache,apache+byrequests` is below; none of it was measured on a quiet machine yet.
 */
const best: Tuning = { balance: 'bybusyness', threads: 96, buffer: { small: '', large: buffer64k } }

const alternatives: Record<string, Partial<Tuning>> = {
  byrequests: { balance: 'byrequests' },
  'default-buffer': { buffer: { small: '', large: '' } },
  'threads-256': { threads: 256 },
}

const modules = [
  'mpm_event',
  'authz_core',
  'proxy',
  'proxy_http',
  'proxy_balancer',
  'slotmem_shm',
  'lbmethod_bybusyness',
  'lbmethod_byrequests',
]
const directories = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules']
const programs = ['apache2', 'httpd']

export const apache = apacheWith('apache', best)
export const apacheAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  apacheWith(`apache+${name}`, { ...best, ...change }),
)

function apacheWith(name: string, tuning: Tuning): PeerKind {
  return { name, obstacle: () => obstacle(), start: (options) => startApache(options, tuning) }
}

/** Debian calls the program apache2, others httpd. */
function programName(): string {
  return programs.find((name) => notInstalled(name, '') === null) ?? 'apache2'
}

function obstacle(): string | null {
  const missing = notInstalled(programName(), 'apache2')
  if (missing !== null) return missing
  return modulesDirectory() === undefined ? `its modules are in none of ${directories.join(', ')}` : null
}

function modulesDirectory(): string | undefined {
  return directories.find((path) => existsSync(join(path, 'mod_mpm_event.so')))
}

async function startApache(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('apache')
  const port = await freePort()
  const file = join(directory, 'httpd.conf')
  writeFileSync(file, config(options, tuning, port, directory))
  return startPeer(options.core, port, directory, [programName(), '-d', directory, '-f', file, '-DFOREGROUND'])
}

function config(options: PeerOptions, tuning: Tuning, port: number, directory: string): string {
  const [workers, threads] = [workersOf(options), tuning.threads]
  const from = modulesDirectory() ?? ''
  return `
${[...modules, 'headers'].map((name) => `LoadModule ${name}_module ${join(from, `mod_${name}.so`)}`).join('\n')}
${process.getuid?.() === 0 ? 'User daemon\nGroup daemon' : ''}
ServerName localhost
PidFile ${join(directory, 'httpd.pid')}
DefaultRuntimeDir ${directory}
ErrorLog ${join(directory, 'error.log')}
LogLevel error
Mutex file:${directory} default
ServerTokens Prod
HostnameLookups Off
Listen 127.0.0.1:${port}
ListenBacklog 4096
ServerLimit ${workers}
StartServers ${workers}
ThreadLimit ${threads}
ThreadsPerChild ${threads}
MaxRequestWorkers ${threads * workers}
MinSpareThreads 1
MaxSpareThreads ${threads * workers}
AsyncRequestWorkerFactor 256
MaxConnectionsPerChild 0
KeepAlive On
KeepAliveTimeout 75
MaxKeepAliveRequests 0
Timeout 60
${tuning.buffer[options.bodies]}
<Directory />
  AllowOverride None
</Directory>
<Proxy balancer://servers>
${options.servers.map((server) => `  BalancerMember http://${server} keepalive=On ttl=60`).join('\n')}
  ProxySet lbmethod=${tuning.balance}
</Proxy>
ProxyPreserveHost On
RequestHeader set X-Forwarded-Proto http
ProxyPass / balancer://servers/
`
}
