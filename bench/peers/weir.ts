/** weir as it comes: one worker unless more are asked for, every other value the default, also where it ends TLS. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Core, temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type Probe, probeHttps, type RunningPeer, startPeer, workersOf } from './peer.ts'

const here = join(import.meta.dirname, '../..')

export const weir: PeerKind = {
  name: 'weir',
  obstacle: weirObstacle,
  start: (options) => startWeir(options.core, (port) => config(options, port), probeOf(options)),
}

/** Null when this checkout is built. */
export function weirObstacle(): string | null {
  return existsSync(join(here, 'dist/main.js')) ? null : 'not built: make build'
}

/** weir with an access log, and another checkout of it that is built: `WEIR_BEFORE=/path --peers weir,weir+before`. */
export const weirAlternatives: PeerKind[] = [
  {
    name: 'weir+access-log',
    start: (options) =>
      startWeir(
        options.core,
        (port, directory) => `log: { access: ${join(directory, 'access.log')} }\n${config(options, port)}`,
        probeOf(options),
      ),
  },
  {
    name: 'weir+before',
    start: (options) => startWeir(options.core, (port) => config(options, port), probeOf(options), process.env['WEIR_BEFORE'] ?? here),
  },
]

/** Runs weir with a configuration that listens on the port it is given; `home` is the checkout. */
export async function startWeir(
  core: Core,
  configFor: (port: number, directory: string) => string,
  probe?: Probe,
  home = here,
): Promise<RunningPeer> {
  const directory = temporaryDirectory('weir')
  const port = await freePort()
  const main = join(home, 'dist/main.js')
  const file = join(directory, 'weir.yaml')
  writeFileSync(file, configFor(port, directory))
  return startPeer(core, port, directory, [process.execPath, main, 'run', file], probe)
}

function config(options: PeerOptions, port: number): string {
  const routes = Array.from({ length: options.routes }, (_, i) => `      - { match: { path: /r/${i}/ }, upstream: servers }`)
  return `
workers: ${workersOf(options)}
listeners:
  web:
    bind: ["127.0.0.1:${port}"]
${protocolLines(options)}
    routes:
${routes.join('\n')}
      - { match: {}, upstream: servers }
${upstreamOf(options.servers)}`
}

function protocolLines({ tls }: PeerOptions): string {
  if (!tls) return '    protocol: http'
  return `    protocol: https\n    tls: { certificates: [{ cert: ${tls.certificate}, key: ${tls.key} }] }`
}

function probeOf({ tls }: PeerOptions): Probe | undefined {
  return tls && probeHttps
}

/** The section `upstreams` with one upstream named `servers`. */
export function upstreamOf(servers: string[]): string {
  return `
upstreams:
  servers:
    balance: least-connections
    servers:
${servers.map((server) => `      - ${server}`).join('\n')}
`
}
