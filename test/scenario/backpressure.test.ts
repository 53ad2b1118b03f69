// A slow reader slows its writer down; the balancer does not store what is between them.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { residentBytes } from './lib/processes.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { until } from './lib/wait.ts'

const MiB = 1024 * 1024
const TOTAL = 64 * MiB

const server = await scriptedServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))

/** Writes until `total` bytes are with the kernel; the answer says how many are now. */
function pour(socket: Socket, total: number): () => number {
  const block = Buffer.alloc(65_536, 'x')
  let given = 0
  const feed = () => {
    while (given < total) {
      given += block.length
      if (!socket.write(block)) return
    }
  }
  socket.on('drain', feed)
  feed()
  return () => given - socket.writableLength
}

async function settled(count: () => number): Promise<number> {
  let last = -1
  let since = Date.now()
  await until(
    () => {
      const now = count()
      if (now !== last) since = Date.now()
      last = now
      return Date.now() - since > 300
    },
    { within: 8_000, what: 'the writer is stopped' },
  )
  return last
}

test('a client that does not read stops the server, and gets everything when it reads on', async (t) => {
  let poured = () => 0
  server.on('/down', async (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`)
    poured = pour(socket.socket, TOTAL)
  })
  const worker = weir.workerPids()[0] as number
  const before = residentBytes(worker)
  const client = await connect(t, weir.port())
  client.reader.pause()
  client.request('GET /down')
  await until(() => poured() > 0)
  // What is left are the socket buffers of the kernel, on both sides of the balancer.
  const taken = await settled(poured)
  // The kernel's own socket buffers may grow to tcp_rmem's maximum, 32 MiB on some machines.
  assert.ok(taken < TOTAL * 0.9, `${taken} bytes were taken`)
  assert.ok(residentBytes(worker) - before < 8 * MiB, 'the balancer stores almost nothing')
  client.reader.resume()
  assert.equal(await drained(client.reader), TOTAL)
})

test('a server that does not read stops the client', async (t) => {
  server.on('/up', async (socket) => {
    socket.reader.pause()
  })
  const worker = weir.workerPids()[0] as number
  const before = residentBytes(worker)
  const client = await connect(t, weir.port())
  client.request('POST /up', { 'Content-Length': String(TOTAL) })
  const poured = pour(client.socket, TOTAL)
  const taken = await settled(poured)
  // The kernel's own socket buffers may grow to tcp_rmem's maximum, 32 MiB on some machines.
  assert.ok(taken < TOTAL * 0.9, `${taken} bytes were taken`)
  assert.ok(residentBytes(worker) - before < 8 * MiB, 'the balancer stores almost nothing')
})

async function drained(reader: Awaited<ReturnType<typeof connect>>['reader']): Promise<number> {
  await reader.takeUntil('\r\n\r\n')
  let count = 0
  while (count < TOTAL) {
    const part = await reader.takeSome()
    if (part.length === 0) break
    count += part.length
  }
  return count
}
