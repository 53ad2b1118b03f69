/** Servers that write bytes as told, for everything that a real server would not send. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { addressOf, listen, shut } from './listening.ts'
import { Reader, USUAL_WAIT_MS } from './reader.ts'
import type { Scope } from './wait.ts'

/** One accepted connection of a scripted server. */
export interface ServerSocket {
  readonly socket: Socket
  readonly reader: Reader
  /** Which connection of the server this is, from 1. */
  readonly number: number
  /** A whole request head as text, with its empty line. */
  readHead(within?: number): Promise<string>
  readUntil(mark: string, within?: number): Promise<string>
  readBytes(count: number, within?: number): Promise<Buffer>
  /** Writes bytes; text is latin1. */
  write(bytes: string | Uint8Array): void
  end(bytes?: string): void
  /** Closes with RST. */
  reset(): void
  /** Waits until the balancer closed this connection, whatever it still sends. */
  closed(within?: number): Promise<void>
}

export interface RawServer {
  readonly address: string
  readonly port: number
  /** Request heads read so far by all connections, in order. */
  readonly heads: string[]
  readonly connections: number
  readonly open: number
  /** What the scripts threw, unless their connection was just closed by the balancer. */
  readonly failures: Error[]
  close(): Promise<void>
}

/** A TCP server whose connections follow a script. When the script returns, the connection stays as it is. */
export async function rawServer(
  scope: Scope,
  script: (socket: ServerSocket) => Promise<void>,
  place: { host?: string; port?: number } | { path: string } = {},
): Promise<RawServer> {
  const heads: string[] = []
  const failures: Error[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const scripted = serverSocket(socket, ++connections, heads)
    script(scripted).catch((error: Error) => {
      if (!scripted.reader.ended) failures.push(error)
      socket.destroy()
    })
  })
  await listen(server, 'path' in place ? place : { host: place.host ?? '127.0.0.1', port: place.port ?? 0 })
  const close = () => shut(server, () => sockets)
  scope.after(close)
  return {
    address: addressOf(server),
    port: 'path' in place ? 0 : (server.address() as AddressInfo).port,
    heads,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    failures,
    close,
  }
}

function serverSocket(socket: Socket, number: number, heads: string[]): ServerSocket {
  const reader = new Reader(socket)
  return {
    socket,
    reader,
    number,
    async readHead(within = USUAL_WAIT_MS) {
      const head = await reader.takeUntil('\r\n\r\n', 'the end of a request head', within)
      heads.push(head)
      return head
    },
    readUntil: (mark, within) => reader.takeUntil(mark, JSON.stringify(mark), within),
    readBytes: (count, within) => reader.take(count, `${count} bytes`, within),
    write: (bytes) => void (typeof bytes === 'string' ? socket.write(bytes, 'latin1') : socket.write(bytes)),
    end: (bytes = '') => void socket.end(bytes, 'latin1'),
    reset: () => void socket.resetAndDestroy(),
    async closed(within) {
      await reader.takeRest(within)
    },
  }
}

/** A scripted server that reads each request's head and answers always the same bytes, and keeps the connection. */
export function answering(scope: Scope, bytes: string, { close = false } = {}): Promise<RawServer> {
  return rawServer(scope, async (socket) => {
    for (;;) {
      await socket.readHead(60_000)
      if (close) return socket.end(bytes)
      socket.write(bytes)
    }
  })
}

/** A complete response with a body of its own length. */
export function response(body: string, headers = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`
}
