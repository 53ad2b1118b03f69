/** The HTTP interface for whoever watches weir: `GET /ready` and `GET /live`. It lives in the primary, apart from all traffic. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReadyState {
  isReady: boolean
  /** Why not, or what it does, in a few words; one line. */
  why: string
}

export interface ReadinessServer {
  /** `127.0.0.1:9900`, with the port that it has really got. */
  address: string
  /** Accepts no more, and ends what is idle; a request that is being answered is finished. */
  close(): void
}

/** A watcher that does not speak is not waited for; milliseconds. */
const patienceMs = 5_000
const mostConnections = 64

/**
 * Opens the interface at a loopback address; port 0 lets the system choose one. `state` is asked for each request. Throws an Error of
 * one sentence for people when the address cannot be opened.
 */
export async function openReadiness({ host, port }: { host: string; port: number }, state: () => ReadyState): Promise<ReadinessServer> {
  const server = createServer(
    { headersTimeout: patienceMs, requestTimeout: patienceMs, keepAliveTimeout: patienceMs },
    (request, response) => answer(request, response, state),
  )
  server.maxConnections = mostConnections
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new Error(`cannot open the HTTP interface at ${textOf(host, port)}: ${(error as Error).message}`)
  }
  // It never keeps a process alive that has nothing else to do.
  server.unref()
  return { address: addressOf(server), close: () => closeServer(server) }
}

function answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse, state: () => ReadyState): void {
  const { status, text } = reply(method, url.split('?', 1)[0] ?? '', state)
  const body = Buffer.from(`${text}\n`)
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length, 'Cache-Control': 'no-store' }
  response.writeHead(status, { ...headers, ...(status === 405 ? { Allow: 'GET, HEAD' } : {}) }).end(body)
}

function reply(method: string, path: string, state: () => ReadyState): { status: number; text: string } {
  if (path !== '/ready' && path !== '/live') return { status: 404, text: 'there are /ready and /live' }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'only GET and HEAD' }
  if (path === '/live') return { status: 200, text: 'live' }
  const { isReady, why } = state()
  return { status: isReady ? 200 : 503, text: why }
}

function closeServer(server: Server): void {
  server.close()
  server.closeIdleConnections()
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return textOf(address, port)
}

function textOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
