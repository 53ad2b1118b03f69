/**
 * A server as it is deployed: HTTP with keep-alive, echoing WebSockets, and gone at once when TERM comes. Arguments: port (0: any), the
 * file that gets its process id, and its version. Prints its port when it listens.
 */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const [port = '0', pidFile = '', version = ''] = process.argv.slice(2)

const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
  const parts: Buffer[] = []
  req.on('data', (part: Buffer) => void parts.push(part))
  req.on('end', () => res.setHeader('X-Version', version).end(`${req.method} ${req.url} ${Buffer.concat(parts)}`))
})
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send(`${version} ${message}`))
})
// Without farewell: what is still open is broken.
process.on('SIGTERM', () => process.exit(0))
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 1024 }, () => {
  writeFileSync(pidFile, String(process.pid))
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
