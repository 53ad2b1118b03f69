/** Servers behind the balancer: real node servers that remember what they saw. Scripted ones are in `raw-server.ts`. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { addressOf, listen, shut } from './listening.ts'
import type { Scope } from './wait.ts'

export interface SeenRequest {
  method: string
  url: string
  version: string
  /** Lower-case names; several of one name joined, as node does. */
  headers: IncomingMessage['headers']
  /** Name, value, name, value, … as sent. */
  rawHeaders: string[]
  trailers: NodeJS.Dict<string>
  body: string
  /** Which connection of this server it came on, from 1. */
  connection: number
}

export interface TestServer {
  readonly name: string
  /** `host:port` or `unix:/path`, as a config writes it. */
  readonly address: string
  readonly port: number
  /** Requests whose body was read to its end, in the order of their heads. */
  readonly seen: SeenRequest[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  readonly http: Server
  close(): Promise<void>
}

export type Handler = (req: IncomingMessage, res: ServerResponse, seen: SeenRequest) => void | Promise<void>

export interface ServerPlace extends ServerOptions {
  name?: string
  host?: string
  port?: number
  /** A unix socket instead of a port. */
  path?: string
  /** Whether the request's body is read before the handler is called. Yes unless told otherwise. */
  readBody?: boolean
  /** It speaks HTTPS. */
  tls?: TlsOptions
}

/** What `echo` answers. */
export interface Echo extends SeenRequest {
  server: string
}

/** Answers 200 with a JSON of what the server saw, and its name. */
export function echo(name: string): Handler {
  return (_req, res, seen) => {
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ server: name, ...seen }))
  }
}

/** A node HTTP server on a free port; it ends with the scope. Without a handler it echoes (see `echo`). */
export async function startServer(scope: Scope, handler?: Handler, place: ServerPlace = {}): Promise<TestServer> {
  const { name = 'a', host = '127.0.0.1', port = 0, path, readBody = true, tls, ...options } = place
  const seen: SeenRequest[] = []
  const sockets = new Map<Socket, number>()
  let connections = 0
  const handle = handler ?? echo(name)
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    const request = describe(req, sockets.get(req.socket) ?? 0)
    seen.push(request)
    void serve(req, res, request, handle, readBody)
  }
  const settings = { keepAliveTimeout: 60_000, ...options }
  const http = tls === undefined ? createHttpServer(settings, onRequest) : createHttpsServer({ ...settings, ...tls }, onRequest)
  // Of https, requests come with the socket above the connection.
  http.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.set(socket, ++connections)
    socket.on('close', () => sockets.delete(socket))
  })
  await listen(http, path === undefined ? { host, port } : { path })
  const close = () => shut(http, () => sockets.keys())
  scope.after(close)
  return {
    name,
    address: addressOf(http),
    port: path === undefined ? (http.address() as AddressInfo).port : 0,
    seen,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    http,
    close,
  }
}

function describe(req: IncomingMessage, connection: number): SeenRequest {
  return {
    method: req.method ?? '',
    url: req.url ?? '',
    version: req.httpVersion,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    trailers: {},
    body: '',
    connection,
  }
}

async function serve(req: IncomingMessage, res: ServerResponse, seen: SeenRequest, handle: Handler, readBody: boolean): Promise<void> {
  try {
    if (readBody) {
      for await (const bytes of req) seen.body += (bytes as Buffer).toString('latin1')
      seen.trailers = req.trailers
    }
    await handle(req, res, seen)
  } catch {
    // The peer went away in the middle; scenarios look at what was seen.
    res.destroy()
  }
}
