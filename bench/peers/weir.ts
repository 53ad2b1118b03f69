/** weir as it comes: one worker, every other value the default. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type RunningPeer, startPeer } from './peer.ts'

const main = join(import.meta.dirname, '../../dist/main.js')

export const weir: PeerKind = { name: 'weir', start: startWeir }

async function startWeir(options: PeerOptions): Promise<RunningPeer> {
  const directory = temporaryDirectory('weir')
  const port = await freePort()
  const file = join(directory, 'weir.yaml')
  writeFileSync(file, config(options, port))
  return startPeer(options.core, port, directory, [process.execPath, main, 'run', file])
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
upstreams:
  servers:
    balance: least-connections
    servers:
${options.servers.map((server) => `      - ${server}`).join('\n')}
`
}
