/** @fastify/http-proxy: undici with pools, the server chosen by getUpstream, no request log. */
import { createRequire } from 'node:module'
import { forwarded, inTurn, serve, servers } from './serve.js'

const require = createRequire(import.meta.url)
const fastify = require('fastify')
const httpProxy = require('@fastify/http-proxy')

await serve(async (port) => {
  const app = fastify({ logger: false, keepAliveTimeout: 75_000 })
  await app.register(httpProxy, {
    upstream: '',
    undici: { connections: 256, pipelining: 1, keepAliveTimeout: 60_000 },
    replyOptions: {
      getUpstream: inTurn(servers.map((server) => `http://${server}`)),
      rewriteRequestHeaders: (request, headers) => forwarded(request.raw, headers),
    },
  })
  await app.listen({ port, host: '127.0.0.1', backlog: 4096 })
})
