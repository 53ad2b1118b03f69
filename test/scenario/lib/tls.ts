/** TLS towards a listener of weir: connections with every option of node, and such that are cut at any byte. */
import { connect as openTcp, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as openTls, type TLSSocket } from 'node:tls'
import { type Client, clientOf } from './client.ts'
import { Reader } from './reader.ts'
import { inTime, type Scope } from './wait.ts'

export interface SecureClient extends Client {
  readonly tls: TLSSocket
  /** The TCP connection below. */
  readonly raw: Socket
  /** Of the certificate that was shown and verified; '' where a session was resumed without it. */
  readonly commonName: string
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string
  readonly isResumed: boolean
  /** The newest session that can be resumed; of TLS 1.3 it comes after the handshake, often with the first answer. */
  session(): Buffer | undefined
}

/**
 * A session with a port of 127.0.0.1, on which requests can be sent. The certificate is verified against `ca`; without a `servername`
 * its names are not compared.
 * @throws when no session comes about; `code` of the error is that of node, e.g. `ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION`
 */
export async function secureClient(scope: Scope, port: number, options: ConnectionOptions = {}): Promise<SecureClient> {
  const raw = openTcp({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  scope.after(() => void raw.destroy())
  raw.on('error', () => undefined)
  const names = options.servername === undefined ? { checkServerIdentity: () => undefined } : {}
  const tls = openTls({ socket: raw, ...names, ...options })
  let session: Buffer | undefined
  tls.on('session', (given) => {
    session = given
  })
  const reader = new Reader(tls)
  await inTime(agreed(tls), { what: 'a TLS session' })
  const commonName = String(tls.getPeerCertificate().subject?.CN ?? '')
  const version = tls.getProtocol() ?? ''
  return { ...clientOf(tls, reader, raw), tls, raw, commonName, version, isResumed: tls.isSessionReused(), session: () => session }
}

function agreed(tls: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    tls.once('secureConnect', resolve)
    tls.once('error', reject)
    tls.once('close', () => reject(new Error('closed before a session was agreed on')))
  })
}

/** One GET over a connection of its own, and what was agreed on for it. The server's answer names this connection as the last one. */
export async function askSecurely(
  scope: Scope,
  port: number,
  options: ConnectionOptions = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; client: SecureClient }> {
  const client = await secureClient(scope, port, options)
  client.request('GET /', { Connection: 'close', ...headers })
  const { status, text } = await client.readResponse()
  client.socket.destroy()
  return { status, text, client }
}

/** How a handshake that was to be cut went. */
export type CutEnd = 'cut' | 'finished'

/**
 * Begins a handshake and a request behind it, and ends the connection as soon as so many bytes were sent or received, of which the last
 * ones go alone.
 */
export function cutHandshake(
  port: number,
  options: ConnectionOptions,
  { after, how }: { after: number; how: 'reset' | 'end' },
): Promise<CutEnd> {
  const raw = openTcp({ host: '127.0.0.1', port, noDelay: true })
  let left = after
  let end: CutEnd = 'finished'
  const take = (bytes: Buffer): Buffer => {
    const part = bytes.subarray(0, left)
    left -= part.length
    if (left > 0) return part
    end = 'cut'
    // What was written a moment ago leaves before the end of the connection does.
    setImmediate(() => (how === 'reset' ? raw.resetAndDestroy() : raw.destroy()))
    return part
  }
  const below = new Duplex({
    read: () => undefined,
    write(bytes: Buffer, _encoding, done) {
      if (left > 0) raw.write(take(bytes))
      done()
    },
  })
  raw.on('data', (bytes) => void (left > 0 && below.push(take(bytes))))
  const tls = openTls({ socket: below, checkServerIdentity: () => undefined, ...options })
  tls.on('error', () => undefined)
  tls.on('secureConnect', () => tls.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'))
  raw.on('error', () => undefined)
  return new Promise((resolve) => {
    raw.on('close', () => {
      tls.destroy()
      resolve(end)
    })
  })
}
