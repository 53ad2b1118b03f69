// Does a worker hold anything for clients and servers that are gone, after a million requests with ends at random moments?
//   SOAK_REQUESTS=1000000  SOAK_SEED=1  SOAK_WORKERS=2
// Descriptors, sockets and memory of every worker are compared at rest: once warm, and at the end.
import assert from 'node:assert/strict'
import { startBalancer } from '../scenario/lib/balancer.ts'
import { config } from '../scenario/lib/config.ts'
import { type Scope, until } from '../scenario/lib/wait.ts'
import { chanceFrom } from './chance.ts'
import { runClients } from './clients.ts'
import { type Holding, holdingOf } from './holding.ts'
import { startServer } from './server.ts'

const requests = Number(process.env['SOAK_REQUESTS'] ?? 1_000_000)
const workers = Number(process.env['SOAK_WORKERS'] ?? 2)
const seed = Number(process.env['SOAK_SEED'] ?? 1)
const CONCURRENCY = 64
const STEPS = 10
/** Steps that warm up: pools, arenas and compiled code grow to their size. */
const WARM_STEPS = 2
/** Kept-alive connections to servers end by themselves after 4 s. */
const REST_MS = 60_000
/** What allocators and garbage collectors vary by; a leak of 100 bytes per request would be three times as much. */
const MEMORY_SLACK_BYTES = 24 * 1024 * 1024
/** Empty pipes that the engine keeps for the next large body: at most 64, of two descriptors each. */
const SPARE_PIPES = 128

async function soak(scope: Scope): Promise<void> {
  const chance = chanceFrom(seed)
  const servers = await Promise.all([startServer(chance), startServer(chance)])
  scope.after(() => servers.forEach((server) => server.close()))
  const upstream = { health: 'off', passiveHealth: 'off', keepAlive: { idle: 64, idleTimeout: '2s' } }
  const weir = await startBalancer(scope, config({ servers: servers.map(({ address }) => address), upstream }), { workers })
  const pids = weir.workerPids()
  assert.equal(pids.length, workers)
  const idleSockets = pids.map((pid) => holdingOf(pid).sockets)
  const atRest = () => rest(pids, idleSockets)

  let warm: Holding[] = []
  for (let step = 1; step <= STEPS; ++step) {
    const started = performance.now()
    const tally = await runClients({ port: weir.port(), requests: requests / STEPS, concurrency: CONCURRENCY, chance })
    const seconds = (performance.now() - started) / 1000
    const held = await atRest()
    if (step === WARM_STEPS) warm = held
    assert.equal(tally.stalled, 0, 'clients that asked for everything and were kept waiting')
    print(
      `step=${step} requests=${tally.requests} answered=${tally.answered} left=${tally.left} seconds=${seconds.toFixed(1)} ${held.map(show).join(' ')}`,
    )
  }
  compare(warm, await atRest())
}

/** Waits until no connection is open any more. */
async function rest(pids: number[], idleSockets: number[]): Promise<Holding[]> {
  const gone = () => pids.every((pid, i) => holdingOf(pid).sockets <= (idleSockets[i] as number))
  await until(gone, { within: REST_MS, what: 'the workers hold no connection' }).catch((error) => {
    throw new Error(`connections stay open: ${pids.map((pid) => show(holdingOf(pid))).join(' ')}`, { cause: error })
  })
  return pids.map(holdingOf)
}

function compare(warm: Holding[], end: Holding[]): void {
  for (const [i, before] of warm.entries()) {
    const after = end[i] as Holding
    const others = (h: Holding) => h.descriptors - h.pipes
    assert.equal(others(after), others(before), `descriptors of worker ${before.pid}`)
    assert.ok(after.pipes <= before.pipes + SPARE_PIPES, `pipes of worker ${before.pid}: ${before.pipes}, then ${after.pipes}`)
    const grown = after.privateBytes - before.privateBytes
    assert.ok(grown <= MEMORY_SLACK_BYTES, `worker ${before.pid} has grown by ${grown} bytes`)
  }
  print('flat: nothing is held for those who left')
}

const show = (h: Holding) =>
  `worker=${h.pid} descriptors=${h.descriptors} sockets=${h.sockets} pipes=${h.pipes} MiB=${(h.privateBytes / 1_048_576).toFixed(1)}`
const print = (line: string) => void process.stdout.write(`${line}\n`)

const cleanups: (() => void | Promise<void>)[] = []
try {
  await soak({ after: (cleanup) => void cleanups.push(cleanup) })
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}
