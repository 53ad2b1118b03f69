/** http-proxy: its own handling of headers and an agent that keeps connections. */
import { Agent } from 'node:http'
import { createRequire } from 'node:module'
import { inTurn, listen, serve, servers } from './serve.js'

const { createProxyServer } = createRequire(import.meta.url)('http-proxy')

await serve((port) => {
  const target = inTurn(servers.map((server) => `http://${server}`))
  const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxFreeSockets: 1024 }), xfwd: true })
  // It passes the client's Connection on, and a `close` would end the kept connection.
  proxy.on('proxyReq', (request) => request.setHeader('connection', 'keep-alive'))
  proxy.on('proxyReq', (request, req) => request.setHeader('x-forwarded-host', req.headers.host ?? ''))
  proxy.on('error', (_error, _req, res) => {
    if (res.headersSent) return res.destroy()
    res.writeHead(502).end()
  })
  listen(port, (req, res) => proxy.web(req, res, { target: target() }))
})
