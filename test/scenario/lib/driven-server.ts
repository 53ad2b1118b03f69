/** TCP servers whose connections the scenario drives itself, so that a test reads from top to bottom. */
import type { Socket } from 'node:net'
import { type Client, connect, type Target } from './client.ts'
import { isKnownConnection } from './processes.ts'
import { type RawServer, rawServer, type ServerSocket } from './raw-server.ts'
import type { Reader } from './reader.ts'
import { type Scope, until } from './wait.ts'

export interface DrivenServer extends RawServer {
  /** The next connection that nobody asked for yet. */
  next(within?: number): Promise<ServerSocket>
}

/** A server that does nothing by itself. Its address is a free port of 127.0.0.1 unless a place is given. */
export async function drivenServer(scope: Scope, place: { host?: string; port?: number } | { path: string } = {}): Promise<DrivenServer> {
  const waiting: ServerSocket[] = []
  const server = await rawServer(scope, async (socket) => void waiting.push(socket), place)
  const next = (within = 15_000) => until(() => waiting.shift(), { within, what: 'a connection arrives at the server' })
  return Object.defineProperties({} as DrivenServer, { ...Object.getOwnPropertyDescriptors(server), next: { value: next } })
}

/** Both ends of one tunnel: who connected to the balancer, and what arrived at the server. */
export interface Ends {
  client: Client
  peer: ServerSocket
}

/** Connects to the balancer and waits until that has reached the server. Not for several at once: see `DrivenServer.next`. */
export async function openTunnel(scope: Scope, target: Target, server: DrivenServer): Promise<Ends> {
  const client = await connect(scope, target)
  return { client, peer: await server.next() }
}

/**
 * Whether a connection was reset. node takes a reset that comes together with the last bytes for an orderly end, so for a socket
 * that is still open the kernel is asked.
 */
export function sawReset({ socket, reader }: { socket: Socket; reader: Reader }): boolean {
  if (reader.wasReset) return true
  if (!reader.ended || socket.destroyed) return false
  const { localPort, remotePort } = socket
  // Ports that node did not ask for in time have gone with the connection.
  return localPort === undefined || remotePort === undefined || !isKnownConnection(localPort, remotePort)
}

/** A server that says its name in a line and then sends back what it gets. */
export function namedServer(scope: Scope, name: string, place: { host?: string; port?: number } = {}): Promise<RawServer> {
  const script: Parameters<typeof rawServer>[1] = async ({ socket }) => {
    socket.write(`${name}\n`)
    socket.pipe(socket)
  }
  return rawServer(scope, script, place)
}

/** Connects, and says which `namedServer` (or server process of kind `tcp`) is at the other end. The connection stays open. */
export async function whoAnswers(scope: Scope, target: Target, within?: number): Promise<{ client: Client; name: string }> {
  const client = await connect(scope, target)
  const line = await client.reader.takeUntil('\n', 'the name of a server', within)
  return { client, name: line.slice(0, -1) }
}

/** Sends bytes and waits until they have come back. */
export async function echoes(client: Client, text: string, within?: number): Promise<void> {
  client.send(text)
  const back = (await client.reader.take(text.length, 'an echo', within)).toString('latin1')
  if (back !== text) throw new Error(`${JSON.stringify(back)} came back for ${JSON.stringify(text)}`)
}
