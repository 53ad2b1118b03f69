/** Connections that begin with a PROXY header of a test's own, and what is seen behind the balancer then. */
import assert from 'node:assert/strict'
import type { Balancer } from './balancer.ts'
import { type Client, connect } from './client.ts'
import type { Endpoints } from './proxy-header.ts'
import { type RawServer, rawServer } from './raw-server.ts'
import type { Echo } from './server.ts'
import { type Scope, timed, until } from './wait.ts'

/** What makes a listener believe the headers of these tests. */
export const PROXIED = { bind: '127.0.0.1:0', proxyProtocol: 'on', trustedProxies: ['127.0.0.1'] }

export const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n'

export type Bytes = string | Buffer

/** A TCP server that repeats the version 1 line that its connection begins with, and then whatever else comes. */
export function tellingServer(scope: Scope): Promise<RawServer> {
  return rawServer(scope, async (socket) => {
    socket.write(await socket.readUntil('\r\n', 60_000))
    for (;;) {
      const bytes = await socket.reader.takeSome(60_000)
      if (bytes.length === 0) return socket.end()
      socket.write(bytes)
    }
  })
}

/** A TCP server that says one line, whoever connects. */
export function namedServer(scope: Scope, name: string): Promise<RawServer> {
  return rawServer(scope, async (socket) => socket.end(`${name}\r\n`))
}

/** A connection to a listener's first address. */
export function openTo(scope: Scope, weir: Balancer, listener: string): Promise<Client> {
  const address = weir.addresses(listener)[0] ?? ''
  return connect(scope, address.startsWith('unix:') ? address.slice('unix:'.length) : weir.port(listener))
}

/** The headers that the server saw, from the answer of an echoing one. */
export async function echoed(client: Client): Promise<Echo['headers']> {
  return (JSON.parse((await client.readResponse()).text) as Echo).headers
}

/** What the HTTP server of the listener sees of a request behind this header. */
export async function seenAfter(scope: Scope, weir: Balancer, listener: string, header: Bytes): Promise<Echo['headers']> {
  const client = await openTo(scope, weir, listener)
  client.send(header)
  client.send(GET)
  const headers = await echoed(client)
  client.socket.destroy()
  return headers
}

/** What the TCP server of the listener says first after this header. */
export async function firstLine(scope: Scope, weir: Balancer, listener: string, header: Bytes): Promise<string> {
  const client = await openTo(scope, weir, listener)
  client.send(header)
  const line = await client.reader.takeUntil('\r\n')
  client.socket.destroy()
  return line
}

/** What a path of the listener `web` answers behind this header. */
export async function textAfter(scope: Scope, weir: Balancer, path: string, header: Bytes): Promise<string> {
  const client = await openTo(scope, weir, 'web')
  client.send(header)
  client.request(`GET ${path}`)
  const { text } = await client.readResponse()
  client.socket.destroy()
  return text
}

export interface Refusal {
  listener: string
  bytes: Bytes
  /** What the log says after the client's address. */
  why: RegExp
  /** The client closes its half behind the bytes. */
  end?: boolean
}

/**
 * Sends these bytes, and expects to be closed without an answer and that the log tells why. Lines are limited per second, so a
 * connection that got none is followed by another. Returns how long the last one lived, in milliseconds.
 */
export async function refused(scope: Scope, weir: Balancer, { listener, bytes, why, end = false }: Refusal): Promise<number> {
  const line = new RegExp(`weir: listener ${listener}: closed a connection from \\S+: ${why.source}`)
  const before = weir.log().length
  let lived = 0
  const isTold = async () => {
    const { ms } = await timed(closedAfter(scope, weir, { listener, bytes, end }))
    lived = ms
    return line.test(weir.log().slice(before))
  }
  await until(isTold, { what: `a log line like ${line}` })
  return lived
}

async function closedAfter(scope: Scope, weir: Balancer, { listener, bytes, end }: Omit<Refusal, 'why'>): Promise<void> {
  const client = await openTo(scope, weir, listener)
  client.send(bytes)
  if (end === true) client.end()
  await client.expectClosed()
}

/** The identity headers name this client, and the port that it connected to. */
export function assertClient(headers: Echo['headers'], { source, destinationPort }: Endpoints): void {
  assert.equal(headers['x-forwarded-for'], source)
  assert.equal(headers['x-real-ip'], source)
  assert.equal(headers['x-forwarded-port'], String(destinationPort))
  const node = /^for="?(?:\[([^\]]+)\]|([^;"]+))"?;/.exec(headers.forwarded ?? '')
  assert.equal(node?.[1] ?? node?.[2], source)
}
