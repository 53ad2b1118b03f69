/** fast-proxy with undici, the faster of its two clients, and one pool for each server. */
import { createRequire } from 'node:module'
import { forwarded, inTurn, listen, serve, servers } from './serve.js'

const fastProxy = createRequire(import.meta.url)('fast-proxy')

await serve((port) => {
  const pool = { connections: 256, pipelining: 1, keepAliveTimeout: 60_000 }
  const next = inTurn(servers.map((server) => fastProxy({ base: `http://${server}`, undici: { ...pool } })))
  const options = { rewriteRequestHeaders: forwarded }
  listen(port, (req, res) => next().proxy(req, res, req.url, options))
})
