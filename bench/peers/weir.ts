/** weir as it comes: one worker, every other value the default. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type Probe, type RunningPeer, startPeer } from './peer.ts'

const main = join(import.meta.dirname, '../../dist/main.js')

export const weir: PeerKind = {
  name: 'weir',
  start: (options) => startWeir(options.core, (port) => config(options, port)),
}

/** Runs weir with a configuration that listens on the port it is given. */
export async function startWeir(core: number | null, configFor: (port: number) => string, probe?: Probe): Promise<RunningPeer> {
  const directory = temporaryDirectory('weir')
  const port = await freePort()
  const file = join(directory, 'weir.yaml')
  writeFileSync(file, configFor(port))
  return startPeer(core, port, directory, [process.execPath, main, 'run', file], probe)
}

function config(options: PeerOptions, port: number): string {
  const routes = Array.from({ length: options.routes }, (_, i) => `      - { match: { path: /r/${i}/ }, upstream: servers }`)
  return `
workers: 1
listeners:
  web:
    bind: ["127.0.0.1:${port}"]
    protocol: http
    routes:
${routes.join('\n')}
      - { match: {}, upstream: servers }
${upstreamOf(options.servers)}`
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
