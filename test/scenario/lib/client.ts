/** A client that writes bytes as told and reads responses strictly. */
import type { NetConnectOpts, Socket } from 'node:net'
import { Agent, request } from 'undici'
import { Broken, Reader, USUAL_WAIT_MS } from './reader.ts'
import { type Head, headerOf, type ReadOptions, type Response, readHead, readResponse } from './response.ts'
import { openEvent, openSocket } from './transport.ts'
import { inTime, type Scope } from './wait.ts'

export { Broken, type Head, type Response }

export interface Client {
  readonly socket: Socket
  readonly reader: Reader
  /** Writes bytes; text is latin1. */
  send(bytes: string | Uint8Array): void
  /** Writes one request: start line and headers without line ends, and a body that is sent as it is. */
  request(startLine: string, headers?: Record<string, string | string[]>, body?: string | Uint8Array): void
  readResponse(options?: ReadOptions): Promise<Response>
  /** One head only, also a 1xx one. */
  readHead(within?: number): Promise<Head>
  /** Waits until the other side closed; more bytes before that are an error. */
  expectClosed(within?: number): Promise<void>
  /** Closes our half. */
  end(): void
  /** Closes with RST. */
  reset(): void
}

/** Where to connect: a port of 127.0.0.1, a path of a unix socket, or both host and port. */
export type Target = number | string | { host: string; port: number; localAddress?: string }

/** A connection to the target, closed with the scope. */
export async function connect(scope: Scope, target: Target): Promise<Client> {
  const { socket, raw } = openSocket({ ...optionsOf(target), noDelay: true, allowHalfOpen: true })
  const reader = new Reader(socket)
  scope.after(() => void socket.destroy())
  await inTime(opened(socket), { what: `a connection to ${JSON.stringify(target)}` })
  return clientOf(socket, reader, raw)
}

function optionsOf(target: Target): NetConnectOpts {
  if (typeof target === 'number') return { host: '127.0.0.1', port: target }
  return typeof target === 'string' ? { path: target } : target
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(openEvent(socket), () => resolve())
    socket.once('error', reject)
  })
}

/** `raw` is the TCP connection below `socket`, where that one speaks TLS. */
export function clientOf(socket: Socket, reader: Reader, raw: Socket = socket): Client {
  return {
    socket,
    reader,
    send: (bytes) => void (typeof bytes === 'string' ? socket.write(bytes, 'latin1') : socket.write(bytes)),
    request(startLine, headers = {}, body) {
      const head = `${startLine} HTTP/1.1\r\n${headerLines({ Host: 'test', ...headers })}\r\n`
      socket.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]))
    },
    readResponse: (options) => readResponse(reader, options),
    readHead: (within) => readHead(reader, within),
    async expectClosed(within = USUAL_WAIT_MS) {
      const rest = await reader.takeRest(within)
      if (rest.length > 0) throw new Error(`bytes before the end: ${JSON.stringify(rest.subarray(0, 300).toString('latin1'))}`)
    },
    end: () => void socket.end(),
    reset: () => void raw.resetAndDestroy(),
  }
}

function headerLines(headers: Record<string, string | string[]>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`))
  return lines.join('')
}

/** One request on a connection of its own: `GET /path`, headers, body. Connection: close is not sent. */
export async function ask(
  scope: Scope,
  target: Target,
  startLine = 'GET /',
  headers: Record<string, string | string[]> = {},
  body?: string | Uint8Array,
): Promise<Response> {
  const client = await connect(scope, target)
  const length = body === undefined || 'Transfer-Encoding' in headers ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  client.request(startLine, { ...length, ...headers }, body)
  const response = await client.readResponse({ method: startLine.split(' ')[0] as string })
  client.socket.destroy()
  return response
}

/** A request through undici on a connection of its own, read to its end. */
export async function fetchText(
  url: string,
  options: { method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE'; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; text: string; headers: Record<string, string | string[] | undefined> }> {
  const dispatcher = new Agent({ keepAliveTimeout: 1 })
  try {
    const { statusCode, headers, body } = await request(url, { dispatcher, ...options })
    return { status: statusCode, text: await body.text(), headers }
  } finally {
    await dispatcher.close()
  }
}

export { headerOf }
