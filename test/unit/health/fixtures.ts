import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { CheckTarget } from '../../../src/primary/health/check-target.ts'
import type { ProbeConfig } from '../../../src/primary/health/probe.ts'
import type { HealthConfig } from '../../../src/shared/config/model.ts'
import type { ResolvedAddress } from '../../../src/shared/ipc/protocol.ts'

/** Same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

export type HttpCheck = Extract<HealthConfig['check'], { kind: 'http' }>

export function httpCheck(changes: Partial<HttpCheck> = {}): HttpCheck {
  const common = { path: '/healthz', method: 'GET', host: null, headers: [], body: null, softStop: null }
  return { kind: 'http', ...common, statuses: [[200, 399]], ...changes }
}

export function health(changes: Partial<HealthConfig> = {}): HealthConfig {
  const intervals = { intervalMs: 2000, fastIntervalMs: 500, downIntervalMs: 5000, timeoutMs: 1000 }
  return { check: { kind: 'tcp' }, port: null, ...intervals, rise: 2, fall: 3, initial: 'hold', ...changes }
}

export function probeConfig(check: HealthConfig['check'], sendProxyProtocol: ProbeConfig['sendProxyProtocol'] = 'off'): ProbeConfig {
  return { check, authority: 'app.internal:8080', sendProxyProtocol }
}

export function target(id: string, addresses: ResolvedAddress[], changes: Partial<CheckTarget> = {}): CheckTarget {
  return { id, addresses, authority: 'app.internal', health: health(), agent: null, sendProxyProtocol: 'off', ...changes }
}

export interface RawServer {
  address: { ip: string; port: number }
  server: Server
  /** All connections so far. */
  sockets: Socket[]
}

/** A server that does with each connection what `serve` says; closed when the test ends. */
export async function rawServer(t: TestContext, serve: (socket: Socket) => void): Promise<RawServer> {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { address: { ip: '127.0.0.1', port: (server.address() as AddressInfo).port }, server, sockets }
}

/** Answers every request with these bytes. */
export function answering(text: string | Buffer): (socket: Socket) => void {
  return (socket) => socket.on('data', () => socket.write(text))
}

/** Writes without an end, as fast as the other side takes it. */
export function flooding(head: string, chunk: string | Buffer): (socket: Socket) => void {
  return (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', more)
    socket.once('data', () => {
      socket.write(head)
      more()
    })
  }
}

/** Resolves when `is` holds; rejects after two seconds. */
export async function until(is: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 2000
  while (!is()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
