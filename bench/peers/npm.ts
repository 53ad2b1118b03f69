/**
 * Proxies of npm as a good operator would run them: connections to the servers kept, both servers in turn, no log, node:cluster for more
 * than one worker. Each is a small program in servers/, which is plain JavaScript and needs `npm install --prefix bench`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, startPeer, workersOf } from './peer.ts'

const modules = join(import.meta.dirname, '../node_modules')

export const httpProxy = npmPeer('http-proxy', 'http-proxy')
export const fastProxy = npmPeer('fast-proxy', 'fast-proxy')
export const fastifyHttpProxy = npmPeer('@fastify/http-proxy', 'fastify-http-proxy')

function npmPeer(name: string, program: string): PeerKind {
  return {
    name,
    obstacle: () => (existsSync(join(modules, name, 'package.json')) ? null : `not installed: npm install --prefix bench --ignore-scripts`),
    warmUp: 3,
    start: async (options) => {
      const port = await freePort()
      const file = join(import.meta.dirname, 'servers', `${program}.js`)
      const words = ['--port', port, '--servers', options.servers.join(','), '--workers', workersOf(options)].map(String)
      return startPeer(options.core, port, temporaryDirectory(program), [process.execPath, file, ...words])
    },
  }
}
