// What share of the requests does a server get that is ten times as slow as the three beside it, and what do clients see of it?
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import autocannon from 'autocannon'
import { cleanUpAtExit } from '../lib/processes.ts'
import { haproxy } from '../peers/haproxy.ts'
import { nginx } from '../peers/nginx.ts'
import type { PeerKind, RunningPeer } from '../peers/peer.ts'
import { startWeir } from '../peers/weir.ts'

const SECONDS = 6
const CONNECTIONS = 64
const FAST_MS = 5
const SLOW_MS = 50

cleanUpAtExit()
const counts = [0, 0, 0, 0]
const ports = await Promise.all(counts.map((_, i) => listen(i, i === 0 ? SLOW_MS : FAST_MS)))
const servers = ports.map((port) => `127.0.0.1:${port}`)

const weirWith = (balance: string, workers: number): PeerKind => ({
  name: `weir ${balance}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
  start: () =>
    startWeir(
      null,
      (port) => `
workers: ${workers}
listeners: { web: { bind: "127.0.0.1:${port}", upstream: servers } }
upstreams: { servers: { balance: ${balance}, servers: [${servers.join(', ')}] } }
`,
    ),
})

// By load: each server has as many requests in flight as the others, so it serves in inverse proportion to its time.
const fair = 1 / SLOW_MS / (1 / SLOW_MS + 3 / FAST_MS)
console.log(`fair by load: ${percent(fair)}; ${CONNECTIONS} connections, servers of ${FAST_MS} ms and one of ${SLOW_MS} ms\n`)
const peers = [
  nginx,
  haproxy,
  weirWith('least-connections', 1),
  weirWith('least-connections', 2),
  weirWith('power-of-two', 2),
  weirWith('least-time', 2),
]
for (const kind of peers) {
  const peer = await kind.start({ core: null, servers, routes: 0, bodies: 'small' })
  try {
    console.log(`${kind.name.padEnd(36)} ${await measure(peer)}`)
  } finally {
    await peer.stop()
  }
}
process.exit(0)

async function measure(peer: RunningPeer): Promise<string> {
  const load = { url: `http://127.0.0.1:${peer.port}/`, connections: CONNECTIONS }
  await autocannon({ ...load, duration: 1 })
  counts.fill(0)
  const result = await autocannon({ ...load, duration: SECONDS })
  const all = counts.reduce((sum, count) => sum + count, 0)
  const { p50, p99 } = result.latency
  return `slow server ${percent((counts[0] as number) / all).padStart(6)}  ${Math.round(all / SECONDS)} req/s  p50 ${p50} ms  p99 ${p99} ms  errors ${result.errors + result.non2xx}`
}

function listen(index: number, delayMs: number): Promise<number> {
  const server = createServer((_req, res) => {
    counts[index] = (counts[index] as number) + 1
    setTimeout(() => res.end('ok'), delayMs)
  })
  server.keepAliveTimeout = 60_000
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
