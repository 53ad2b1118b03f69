/**
 * A server that goes wrong when its parent says so. Argument: the address it listens on. It answers the path of each request, and
 * each order with the port it has.
 */
import { createServer } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'

export type Order =
  | { do: 'listen'; port: number }
  /** Connections that are open stay open. */
  | { do: 'close-listener' }
  /** Connections that are open are reset at once; new ones as soon as they are accepted, or once a request was read. */
  | { do: 'reset'; on: 'accept' | 'request' }
  | { do: 'delay'; ms: number }
  | { do: 'behave' }

const [host = '127.0.0.1'] = process.argv.slice(2)
const open = new Set<Socket>()
let resets: 'accept' | 'request' | 'never' = 'never'
let delayMs = 0
let port = 0

const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
  if (resets === 'request') req.socket.resetAndDestroy()
  else if (delayMs === 0) res.end(req.url)
  else setTimeout(() => res.end(req.url), delayMs)
})

server.on('connection', (socket) => {
  if (resets === 'accept') {
    socket.resetAndDestroy()
    return
  }
  open.add(socket.on('close', () => open.delete(socket)))
})

function obey(order: Order): void | Promise<void> {
  switch (order.do) {
    case 'listen':
      return listen(order.port)
    case 'close-listener':
      // Not the method of the HTTP server, which closes idle connections, too.
      NetServer.prototype.close.call(server)
      return
    case 'reset':
      resets = order.on
      for (const socket of open) socket.resetAndDestroy()
      return
    case 'delay':
      delayMs = order.ms
      return
    default:
      resets = 'never'
      delayMs = 0
  }
}

function listen(wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: wanted, backlog: 4096 }, () => {
      port = (server.address() as AddressInfo).port
      resolve()
    })
  })
}

process.on('message', async (order: Order) => {
  await obey(order)
  process.send?.({ port })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ port })
