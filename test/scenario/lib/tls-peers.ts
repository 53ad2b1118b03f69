/** TLS servers behind the balancer, clients in front of it, and a relay that cuts a client's first flight anew. */
import { type AddressInfo, createServer as createTcpServer, connect as openTcp, type Socket } from 'node:net'
import { type ConnectionOptions, createServer, connect as openTls, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Certificate } from './certificates.ts'
import { addressOf, listen, shut } from './listening.ts'
import { Reader } from './reader.ts'
import { inTime, type Scope } from './wait.ts'

export interface TlsServer {
  readonly address: string
  /** Sessions that were agreed on. */
  readonly sessions: number
}

/** A TLS server that says its name in a line, then sends back what it gets. */
export async function tlsServer(scope: Scope, name: string, { cert, key }: Certificate, options: TlsOptions = {}): Promise<TlsServer> {
  const open = new Set<Socket>()
  let sessions = 0
  const server = createServer({ cert, key, ...options }, (socket) => {
    sessions++
    socket.on('error', () => socket.destroy())
    socket.write(`${name}\n`)
    socket.pipe(socket)
  })
  server.on('connection', (socket) => open.add(socket.on('close', () => open.delete(socket))))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await listen(server, { host: '127.0.0.1', port: 0 })
  scope.after(() => shut(server, () => open))
  return {
    address: addressOf(server),
    get sessions() {
      return sessions
    },
  }
}

export interface TlsClient {
  readonly socket: TLSSocket
  readonly reader: Reader
  /** Of the certificate that the server showed, and that was verified. */
  readonly commonName: string
}

/** Agrees on a session and verifies the certificate against `ca`; without a `servername`, its names are not compared. */
export async function connectTls(scope: Scope, port: number, options: ConnectionOptions, within?: number): Promise<TlsClient> {
  const names = options.servername === undefined ? { checkServerIdentity: () => undefined } : {}
  const socket = openTls({ host: '127.0.0.1', port, ...names, ...options })
  scope.after(() => void socket.destroy())
  const agreed = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed before a session was agreed on')))
  })
  const reader = new Reader(socket)
  await inTime(agreed, { what: 'a TLS session', ...(within === undefined ? {} : { within }) })
  return { socket, reader, commonName: String(socket.getPeerCertificate().subject.CN) }
}

/** The first bytes that a TLS client sends: its ClientHello in one record, or in several when it is long. */
export async function captureHello(scope: Scope, options: ConnectionOptions): Promise<Buffer> {
  let hello = Buffer.alloc(0)
  const whole = new Promise<Buffer>((resolve, reject) => {
    const server = createTcpServer((socket) => {
      socket.on('error', reject).on('data', (bytes) => {
        hello = Buffer.concat([hello, bytes])
        if (messageOf(hello) !== null) resolve(hello)
      })
    })
    scope.after(() => void server.close())
    server.listen(0, '127.0.0.1', () => {
      const client = openTls({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options })
      client.on('error', () => undefined)
      scope.after(() => void client.destroy())
    })
  })
  return inTime(whole, { what: 'a ClientHello' })
}

/** The handshake message in the records at the start of `bytes`, null when it is not whole yet. */
export function messageOf(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3)
    if (end > bytes.length) return null
    parts.push(bytes.subarray(at + 5, end))
    at = end
  }
  const message = Buffer.concat(parts)
  return message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3) ? message : null
}

/** Puts a handshake message into records of at most `size` bytes. */
export function recordsOf(message: Buffer, size: number): Buffer {
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(records)
}

/** Writes bytes in pieces, each in a segment of its own as far as the kernel lets it be. */
export async function dribble(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  socket.setNoDelay(true)
  for (let at = 0; at < bytes.length && socket.writable; at += size) {
    socket.write(bytes.subarray(at, at + size))
    await new Promise(setImmediate)
  }
}

export interface Cut {
  /** Bytes of the hello per TLS record; as the client sent them when not given. */
  record?: number
  /** Bytes per write. */
  piece: number
}

/** A port that passes everything on to `port`, but a client's ClientHello cut anew. */
export async function cuttingRelay(scope: Scope, port: number, { record, piece }: Cut): Promise<number> {
  const open = new Set<Socket>()
  const server = createTcpServer({ noDelay: true }, (client) => {
    const onward = openTcp({ host: '127.0.0.1', port, noDelay: true })
    for (const socket of [client, onward]) open.add(socket.on('error', () => socket.destroy()))
    onward.pipe(client)
    let hello = Buffer.alloc(0)
    const collect = (bytes: Buffer) => {
      hello = Buffer.concat([hello, bytes])
      const message = messageOf(hello)
      if (message === null) return
      client.off('data', collect).pause()
      const first = record === undefined ? hello : recordsOf(message, record)
      void dribble(onward, first, piece).then(() => client.pipe(onward))
    }
    client.on('data', collect)
  })
  await listen(server, { host: '127.0.0.1', port: 0 })
  scope.after(() => shut(server, () => open))
  return (server.address() as AddressInfo).port
}
