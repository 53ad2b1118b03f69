/**
 * What the proxies of npm have in common: `node NAME.js --port P --servers host:port,host:port --workers N`. Plain JavaScript, as their
 * users would run it: a TypeScript loader in the process would count as their memory.
 */
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { port: { type: 'string' }, servers: { type: 'string' }, workers: { type: 'string', default: '1' } },
})

/** `host:port` of each server. */
export const servers = values.servers.split(',')

const workers = Number(values.workers)

/** The next of `items` at each call: all of these packages leave the choice of the server to their user. */
export function inTurn(items) {
  let next = 0
  return () => items[next++ % items.length]
}

/** What the others tell the servers, too. `Connection` is the client's own business: with its `close` no connection would be kept. */
export function forwarded(req, headers) {
  const { connection, 'keep-alive': keepAlive, ...rest } = headers
  return {
    ...rest,
    host: req.headers.host,
    'x-forwarded-for': req.socket.remoteAddress,
    'x-forwarded-proto': 'http',
    'x-forwarded-host': req.headers.host,
  }
}

/** Runs `begin(port)` here, or in each of several workers of node:cluster. */
export async function serve(begin) {
  if (workers > 1 && cluster.isPrimary) {
    for (let i = 0; i < workers; i++) cluster.fork()
  } else {
    await begin(Number(values.port))
  }
}

/** An HTTP server of Node with the timeouts that everybody has here. */
export function listen(port, handler) {
  createServer({ keepAliveTimeout: 75_000 }, handler).listen({ port, host: '127.0.0.1', backlog: 4096 })
}
