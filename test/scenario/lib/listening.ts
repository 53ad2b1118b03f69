/** What all test servers share: listening, their address as a config writes it, and ending. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export function listen(server: Server, place: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...place, backlog: 1024 }, () => resolve())
  })
}

export function addressOf(server: Server): string {
  const address = server.address()
  if (typeof address === 'string') return `unix:${address}`
  const { address: host, port } = address as AddressInfo
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function shut(server: Server, sockets: () => Iterable<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets()) socket.destroy()
  })
}

/** A port of 127.0.0.1 on which nobody listens: it was bound a moment ago. Also for programs that cannot bind port 0. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  await listen(server, { host, port: 0 })
  const { port } = server.address() as AddressInfo
  await shut(server, () => [])
  return port
}

/** The first of `count` ports of 127.0.0.1 in a row on which nobody listens, below those that the system gives to connections. */
export async function freePortRange(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    if (await areFree(first, count)) return first
  }
  throw new Error(`no ${count} free ports in a row`)
}

async function areFree(first: number, count: number): Promise<boolean> {
  const servers: Server[] = []
  try {
    for (let i = 0; i < count; i++) {
      const server = createServer()
      await listen(server, { host: '127.0.0.1', port: first + i })
      servers.push(server)
    }
    return true
  } catch {
    return false
  } finally {
    await Promise.all(servers.map((server) => shut(server, () => [])))
  }
}
