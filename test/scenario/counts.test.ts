// What clients, the balancer and the servers have counted, after aborts, retries and the death of a worker. COUNT_REQUESTS=1000000 for more.
import assert from 'node:assert/strict'
import { connect as open } from 'node:net'
import { type TestContext, test } from 'node:test'
import { abi } from '../../src/native/abi.ts'
import { startBalancer } from './lib/balancer.ts'
import { type BoardReader, boardOf } from './lib/board.ts'
import { config } from './lib/config.ts'
import { type Handler, startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const REQUESTS = Number(process.env['COUNT_REQUESTS'] ?? 8_000)
const LANES = 20
const ROUTE = abi.board.listeners
const statuses = ['noStatus', 'status1xx', 'status2xx', 'status3xx', 'status4xx', 'status5xx'] as const

interface Seen {
  sent: number
  answered: number
  /** Connections that the client ended while it waited. */
  aborted: number
  /** That ended on it. */
  broken: number
}

/** By number of a request that a client is to give up: what does that, once a server has read it. */
const giveUps = new Map<number, () => void>()

/** One request after the other; every so many are given up by the client. */
async function lane(port: number, first: number, count: number, seen: Seen): Promise<void> {
  let i = first
  while (i < first + count) i += await oneConnection(port, i, first + count - i, seen)
}

/** Answers how many requests were sent over it. */
function oneConnection(port: number, first: number, most: number, seen: Seen): Promise<number> {
  return new Promise((resolve) => {
    const socket = open({ port, host: '127.0.0.1', noDelay: true })
    let sent = 0
    let isWaiting = false
    const ask = () => {
      if (sent === most) return void socket.end()
      const i = first + sent++
      seen.sent++
      isWaiting = true
      const aborts = i % 17 === 0
      if (aborts) giveUps.set(i, () => socket.resetAndDestroy())
      socket.write(`GET /${aborts ? `slow/${i}` : i % 11 === 0 ? 'flaky' : 'plain'} HTTP/1.1\r\nHost: test\r\n\r\n`)
    }
    socket.on('connect', ask)
    socket.on('data', (bytes) => {
      if (!bytes.toString('latin1').endsWith('done')) return
      seen.answered++
      isWaiting = false
      ask()
    })
    socket.on('error', () => {})
    socket.on('close', (hadError) => {
      if (isWaiting && (first + sent - 1) % 17 === 0 && !hadError) seen.aborted++
      else if (isWaiting) seen.broken++
      resolve(sent)
    })
  })
}

/** Answers, is slow, or resets the connection of who asks for what is flaky. */
function handlerOf(counts: { read: number; reset: number }, isFlaky: boolean): Handler {
  return (req, res) => {
    counts.read++
    if (req.url === '/flaky' && isFlaky) {
      counts.reset++
      return void res.socket?.resetAndDestroy()
    }
    const given = /^\/slow\/(\d+)$/.exec(req.url ?? '')?.[1]
    // Never answered.
    if (given !== undefined) return giveUps.get(Number(given))?.()
    res.end('done')
  }
}

const ended = (board: BoardReader) => statuses.reduce((sum, status) => sum + board.route(ROUTE, status), 0)

test('clients, balancer and servers have counted the same', async (t) => {
  const counts = [
    { read: 0, reset: 0 },
    { read: 0, reset: 0 },
  ] as const
  const servers = await Promise.all(counts.map((own, i) => startServer(t, handlerOf(own, i === 0), { keepAliveTimeout: 60_000 })))
  const weir = await startBalancer(
    t,
    config({
      servers: servers.map(({ address }) => address),
      upstream: {
        passiveHealth: 'off',
        retry: { attempts: 8, on: ['connect', 'unsent', 'reset'], budget: '100%' },
        balance: 'round-robin',
      },
      top: { workers: 2 },
    }),
    { losesProcesses: true },
  )
  const seen: Seen = { sent: 0, answered: 0, aborted: 0, broken: 0 }
  const lanes = Array.from({ length: LANES }, (_, i) => lane(weir.port(), i * (REQUESTS / LANES), REQUESTS / LANES, seen))
  await until(() => seen.sent > REQUESTS / 2, { within: 600_000 })
  const [victim] = weir.workerPids() as [number]
  process.kill(victim, 'SIGKILL')
  await Promise.all(lanes)
  await until(() => weir.workerPids().length === 2 && !weir.workerPids().includes(victim))
  const board = boardOf(weir)
  await until(() => board.route(ROUTE, 'active') === 0)
  await compare(t, board, seen, counts)
})

async function compare(t: TestContext, board: BoardReader, seen: Seen, counts: readonly { read: number; reset: number }[]): Promise<void> {
  const [begun, lost] = [board.worker('exchanges'), board.worker('lost')]
  const [read, reset] = [counts.reduce((sum, one) => sum + one.read, 0), counts.reduce((sum, one) => sum + one.reset, 0)]
  const attempts = board.server(0, 'exchanges') + board.server(1, 'exchanges')
  const retries = board.route(ROUTE, 'retries')
  const good = board.route(ROUTE, 'status2xx')
  t.diagnostic(
    `clients: ${seen.sent} sent, ${seen.answered} answered, ${seen.aborted} given up, ${seen.broken} broken off; ` +
      `balancer: ${begun} begun, ${ended(board)} ended, ${lost} lost, ${retries} retries; servers: ${read} read, ${reset} reset`,
  )
  assert.equal(begun, ended(board) + lost, 'what was begun has ended, or died with its worker')
  assert.equal(seen.sent, seen.answered + seen.aborted + seen.broken)
  assert.ok(seen.sent - begun <= seen.broken && begun <= seen.sent, 'a dead worker may not have read what its clients had sent')
  // A worker may die between the answer and its count.
  assert.ok(seen.answered >= good && seen.answered <= good + lost, `${seen.answered} answered, ${good} counted`)
  assert.equal(board.ended('clientAbort'), board.route(ROUTE, 'noStatus'))
  assert.ok(board.ended('clientAbort') <= seen.aborted && board.ended('clientAbort') >= seen.aborted - lost)
  assert.ok(attempts >= read && attempts <= read + lost, `${attempts} attempts, ${read} read by servers`)
  assert.ok(attempts >= begun && attempts - begun <= retries + lost, 'each further attempt is a retry')
  assert.ok(retries >= reset - lost && retries <= reset + lost, `${retries} retries after ${reset} resets`)
}
