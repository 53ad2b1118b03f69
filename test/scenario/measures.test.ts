// What weir says of times, against clients and servers that write down what they saw.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { abi } from '../../src/native/abi.ts'
import { upperBoundUs } from '../../src/primary/control/latency-buckets.ts'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { type Recorded, record } from './lib/recorder.ts'
import { type Handler, startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const ROUTE = abi.board.listeners
const STAGGER_MS = 5

/** Smallest value that so large a share of them does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number
}

/** The same of a histogram, by the upper bound of its bucket. */
function quantileOf(counts: Float64Array, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  let left = Math.max(1, Math.ceil(total * share))
  for (const [bucket, count] of counts.entries()) {
    left -= count
    if (count > 0 && left <= 0) return upperBoundUs(bucket)
  }
  return 0
}

/** A machine that has other work to do delays clients, too: what does not agree is measured again, four times at most. */
async function agree(measure: () => Promise<void>, left = 4): Promise<void> {
  try {
    await measure()
  } catch (error) {
    if (left === 0 || !(error instanceof assert.AssertionError)) throw error
    await agree(measure, left - 1)
  }
}

const count = (counts: Float64Array) => counts.reduce((sum, one) => sum + one, 0)

/** What was added to so many requests: a client may have its response before that is written down. */
async function overheadOf(weir: Balancer, requests: number): Promise<Float64Array> {
  const overhead = () => boardOf(weir).histogram('route', ROUTE, 'overhead')
  await until(() => count(overhead()) === requests, { what: `${requests} requests are counted` })
  return overhead()
}

/** Requests over so many connections, one after the other on each; `path` says what the server is to do. */
function drive(t: TestContext, weir: Balancer, clients: number, each: number, path: (i: number) => string): Promise<Recorded> {
  const paths = Array.from({ length: clients }, (_, lane) => Array.from({ length: each }, (_, i) => path(lane * each + i)))
  return record(t, { port: weir.port(), paths, staggerMs: STAGGER_MS })
}

/** Answers after so many milliseconds as the path says, with the microseconds that it really took. */
const delaying: Handler = (req, res) => {
  const begun = performance.now()
  const ms = Number(new URL(req.url ?? '', 'http://x').searchParams.get('ms') ?? 0)
  const answer = () => res.end(String((performance.now() - begun) * 1000))
  if (ms === 0) answer()
  else setTimeout(answer, ms)
}

const distributions: Record<string, (i: number) => number> = {
  constant: () => 100,
  bimodal: (i) => (i % 10 === 0 ? 300 : 80),
  'heavy tail': (i) => Math.min(600, 50 / (1 - ((i * 0.618033988749895) % 1)) ** 0.5),
}

for (const [name, ms] of Object.entries(distributions)) {
  const measure = async (t: TestContext) => {
    const server = await startServer(t, delaying)
    const weir = await startBalancer(t, config({ servers: [server.address], top: { workers: 2 } }))
    const { client } = await drive(t, weir, 20, 50, (i) => `/?ms=${Math.round(ms(i))}`)
    const board = boardOf(weir)
    await until(() => count(board.histogram('server', 0, 'total')) === client.length)
    for (const of of ['server', 'route'] as const) {
      const counts = board.histogram(of, of === 'server' ? 0 : ROUTE, 'total')
      for (const share of [0.5, 0.99, 0.999]) {
        const [said, seen] = [quantileOf(counts, share), quantile(client, share)]
        assert.ok(Math.abs(said - seen) <= seen * 0.02, `${of} p${share * 100}: weir says ${said} us, clients saw ${Math.round(seen)} us`)
      }
    }
  }
  test(`the quantiles of a ${name} are those that clients see`, (t) => agree(() => measure(t)))
}

/** A balancer whose function keeps its worker busy for so many milliseconds as the path says. */
async function blocking(t: TestContext, address: string): Promise<Balancer> {
  return startBalancer(
    t,
    `import { defineConfig } from 'weir'
export default defineConfig({
  workers: 1,
  listeners: { web: { bind: '127.0.0.1:0', routes: [{ match: {}, upstream: 'app', onRequest(request) {
    const ms = Number(/block=([\\d.]+)/.exec(request.query ?? '')?.[1] ?? 0)
    for (const until = performance.now() + ms; performance.now() < until;);
  } }] } },
  upstreams: { app: { servers: ['${address}'], health: 'off' } },
})
`,
    { fileName: 'weir.config.ts' },
  )
}

test('what weir adds is what clients see beyond the time of the servers', (t) => agree(() => compareOverhead(t)))

async function compareOverhead(t: TestContext): Promise<void> {
  const server = await startServer(t, delaying)
  const weir = await blocking(t, server.address)
  // A few milliseconds for most, and a tail: far more than the sockets and event loops of the test itself add. One after the other, so
  // that the quantiles are not those of chance meetings.
  const block = (i: number) => (i % 40 === 0 ? 40 : 4 + (i % 7))
  const { rest } = await drive(t, weir, 1, 280, (i) => `/?block=${block(i)}`)
  const counts = await overheadOf(weir, rest.length)
  for (const share of [0.5, 0.99]) {
    const [said, seen] = [quantileOf(counts, share), quantile(rest, share)]
    assert.ok(
      Math.abs(said - seen) <= seen * 0.1 + 500,
      `p${share * 100}: weir says ${said} us, clients and server say ${Math.round(seen)} us`,
    )
  }
}

test('without anything to do it adds little', async (t) => {
  const server = await startServer(t, delaying)
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  const { rest } = await drive(t, weir, 1, 400, () => '/')
  const median = quantileOf(await overheadOf(weir, rest.length), 0.5)
  assert.ok(median > 0 && median < quantile(rest, 0.5), `${median} us of ${quantile(rest, 0.5)}`)
})

test('a worker that is blocked for 200 ms shows 200 ms, for whoever had to wait', (t) => agree(() => block(t)))

async function block(t: TestContext): Promise<void> {
  const server = await startServer(t, delaying)
  const weir = await blocking(t, server.address)
  const waiting = await connect(t, weir.port())
  waiting.request('GET /')
  await waiting.readResponse()
  const blocker = await connect(t, weir.port())
  blocker.request('GET /?block=200')
  // In the middle of that, one that is not to blame.
  setTimeout(() => waiting.request('GET /'), 50)
  await blocker.readResponse()
  await waiting.readResponse()
  const counts = await overheadOf(weir, 3)
  const slow = [...counts.entries()].flatMap(([bucket, many]) =>
    many > 0 && upperBoundUs(bucket) > 50_000 ? [upperBoundUs(bucket) / 1000] : [],
  )
  assert.equal(slow.length, 2, `${slow}`)
  const [innocent, guilty] = slow as [number, number]
  assert.ok(guilty >= 199 && guilty < 260, `${guilty} ms`)
  assert.ok(innocent > 120 && innocent < 215, `${innocent} ms`)
}

test('a worker that was stopped for 200 ms shows it', async (t) => {
  const server = await startServer(t, delaying)
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  const client = await connect(t, weir.port())
  client.request('GET /')
  await client.readResponse()
  const [pid] = weir.workerPids() as [number]
  process.kill(pid, 'SIGSTOP')
  const begun = performance.now()
  client.request('GET /')
  await delay(200)
  process.kill(pid, 'SIGCONT')
  await client.readResponse()
  const seen = performance.now() - begun
  const said = quantileOf(await overheadOf(weir, 2), 1) / 1000
  // Stalls are known to a tick of the kernel's clock, which is 10 ms at most, and buckets are 0.8 % wide.
  assert.ok(said > 180 && said < (seen + 10) * 1.008, `${said} ms of ${seen}`)
})

test('what collects garbage and keeps statistics in the primary gives way to workers', async (t) => {
  const server = await startServer(t, delaying)
  const weir = await startBalancer(t, config({ servers: [server.address] }))
  const own = getPriority(weir.pid)
  for (const worker of weir.workerPids()) assert.equal(getPriority(worker), own)
  const gaveWay = () => threadsOf(weir.pid).filter((thread) => getPriority(thread) === Math.min(19, own + 5))
  // V8 has four helpers.
  await until(() => gaveWay().length > 4 && !gaveWay().includes(weir.pid))
})

const threadsOf = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)

test('connect, queue and first byte are told apart', async (t) => {
  const server = await startServer(t, delaying)
  const weir = await startBalancer(
    t,
    config({ servers: [{ name: 'a', address: server.address, maxConnections: 1 }], upstream: { queue: { max: 10, timeout: '5s' } } }),
  )
  await Promise.all([ask(t, weir.port(), 'GET /?ms=100'), ask(t, weir.port(), 'GET /?ms=100')])
  const board = boardOf(weir)
  await until(() => count(board.histogram('server', 0, 'total')) === 2)
  const queued = board.histogram('server', 0, 'queue')
  assert.equal(count(queued), 1)
  assert.ok(quantileOf(queued, 1) > 80_000 && quantileOf(queued, 1) < 140_000)
  const first = board.histogram('server', 0, 'firstByte')
  assert.ok(quantileOf(first, 1) < 140_000, 'the wait is not the server’s')
  assert.ok(count(board.histogram('server', 0, 'connect')) >= 1)
  assert.ok(quantileOf(board.histogram('server', 0, 'total'), 1) > 180_000)
  assert.ok(quantileOf(await overheadOf(weir, 2), 1) < 20_000, 'and not ours')
})
