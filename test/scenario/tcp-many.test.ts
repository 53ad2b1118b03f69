// 8,000 tunnels over two workers, all closed again: descriptors, pipes, memory and counters are as they were.
import assert from 'node:assert/strict'
import { connect as open, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { tcpConfig } from './lib/config.ts'
import { clientConnections, descriptorLimit, descriptors, residentBytes } from './lib/processes.ts'
import { startServerProcess } from './lib/server-process.ts'
import { inTime, until } from './lib/wait.ts'

const TUNNELS = 8_000
const AT_ONCE = 200
// 2 in a worker for each of its tunnels, 1 in this process and in the server for each of all; an eighth of them weir keeps back.
const NEEDED_DESCRIPTORS = 10_000
const BULK = 20
const STALLS = 4
const BULK_BYTES = 4 * 1024 * 1024
const MAX_GROWTH = 4 * 1024 * 1024

/** A tunnel through which the server's line has come; a source address has 4,000 ports at most here. */
function openOne(port: number, index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + (index % 4)}`, noDelay: true })
    socket.once('error', reject).once('close', () => reject(new Error('closed early')))
    socket.once('data', () => resolve(socket.removeAllListeners('close')))
  })
}

async function openAll(port: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < TUNNELS) {
    const group = Array.from({ length: AT_ONCE }, (_, i) => openOne(port, sockets.length + i))
    sockets.push(...(await inTime(Promise.all(group), { within: 15_000, what: `tunnels after the first ${sockets.length}` })))
  }
  return sockets
}

/** Sends bytes and waits until as many have come back. */
function bounce(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes.length
    const count = (part: Buffer) => {
      left -= part.length
      if (left > 0) return
      socket.off('data', count)
      resolve()
    }
    socket.on('data', count).once('error', reject)
    socket.write(bytes)
  })
}

async function carry(weir: Balancer, sockets: Socket[]): Promise<void> {
  const byte = Buffer.from('x')
  await inTime(Promise.all(sockets.map((socket) => bounce(socket, byte))), { within: 15_000, what: 'a byte through each tunnel' })
  // So often that pipes which stay would be more than are ever in use at once, whatever share of the tunnels a worker has.
  for (let i = 0; i < STALLS; i++) await stall(weir, sockets.slice(0, BULK))
}

/** Bulk that its readers do not take at first, so that many pipes are in use at once. */
async function stall(weir: Balancer, sockets: Socket[]): Promise<void> {
  const bulk = Buffer.alloc(BULK_BYTES, 'weir')
  const spliced = () => boardOf(weir).worker('splicedBytes')
  const before = spliced()
  const bounced = Promise.all(sockets.map((socket) => bounce(socket, bulk)))
  for (const socket of sockets) socket.pause()
  await until(() => spliced() - before > BULK * 200_000, { what: 'the tunnels splice' })
  for (const socket of sockets) socket.resume()
  await inTime(bounced, { within: 15_000, what: 'bulk' })
}

async function closeAll(sockets: Socket[]): Promise<void> {
  const gone = Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))))
  for (const socket of sockets) socket.end()
  await inTime(gone, { within: 15_000, what: 'the end of all tunnels' })
}

interface Round {
  perWorker: number[]
  descriptors: { all: number; pipes: number }[]
  resident: number[]
}

async function runRound(weir: Balancer): Promise<Round> {
  const workers = weir.workerPids()
  const board = boardOf(weir)
  const before = { accepted: board.worker('accepted'), tunnels: board.worker('tunnels') }
  const sockets = await openAll(weir.port())
  assert.deepEqual([board.worker('openTunnels'), board.worker('connections'), board.inFlight(0)], [TUNNELS, TUNNELS, TUNNELS])
  const perWorker = workers.map((pid) => clientConnections(pid, weir.port()))
  await carry(weir, sockets)
  await closeAll(sockets)
  await until(() => board.worker('openTunnels') === 0, { what: 'no tunnel is open' })
  assert.deepEqual([board.worker('connections'), board.listener(0, 'connections'), board.inFlight(0)], [0, 0, 0])
  assert.equal(board.worker('accepted') - before.accepted, TUNNELS)
  assert.equal(board.worker('tunnels') - before.tunnels, TUNNELS)
  assert.equal(board.worker('timeouts'), 0)
  return { perWorker, descriptors: workers.map(descriptors), resident: workers.map(residentBytes) }
}

test('8,000 tunnels over two workers are closed and leave nothing behind', { timeout: 60_000 }, async (t) => {
  const limit = descriptorLimit()
  if (limit < NEEDED_DESCRIPTORS) return t.skip(`needs ${NEEDED_DESCRIPTORS} descriptors per process, here are ${limit}`)
  const server = await startServerProcess(t, 'tcp')
  const weir = await startBalancer(t, tcpConfig({ servers: [server.address] }), { workers: 2 })
  const atStart = weir.workerPids().map(descriptors)
  // The first round fills pools and tables, which stay.
  const first = await runRound(weir)
  const second = await runRound(weir)
  t.diagnostic(JSON.stringify({ atStart, first, second }))
  for (const { perWorker } of [first, second]) {
    const [most, least] = [Math.max(...perWorker), Math.min(...perWorker)]
    assert.ok(most + least === TUNNELS && least > 0.8 * most, `${perWorker} tunnels in the workers`)
  }
  const notPipes = ({ all, pipes }: { all: number; pipes: number }) => all - pipes
  assert.deepEqual(second.descriptors.map(notPipes), atStart.map(notPipes))
  second.descriptors.forEach(({ pipes }, i) => {
    assert.ok(pipes <= (atStart[i]?.pipes ?? 0) + 2 * BULK * 2, `${pipes} ends of pipes stay in the pool`)
    const grown = (second.resident[i] as number) - (first.resident[i] as number)
    assert.ok(grown < MAX_GROWTH, `a worker grew by ${grown} bytes`)
  })
})
