/**
 * Entry of the process that makes the load, with autocannon. With its overall rate autocannon sends what is due at the begin of each second,
 * on all connections at once; so each connection is an instance of its own with a rate of one a second, and they start at random moments of
 * a second: together that is close to how requests of people arrive, and no answer that is late keeps others from being sent.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Client, Options } from 'autocannon'
import { ClientLog } from './client-log.ts'
import { type FromDriver, KEY_HEADER, type LoadPlan, MEASURED_HEADER, type Measured, type ToDriver } from './messages.ts'
import { RoundLog } from './round-log.ts'
import { type Random, seededRandom } from './seeded-random.ts'
import { zipf } from './zipf.ts'

const { default: autocannon } = await import('autocannon')

/** How long before the begin of the measured part it is announced. */
const SOON_MS = 300
/** Over which clients begin. */
const SPREAD_MS = 1_000
const SETTLE_MS = 10
const LOOK_MS = 10
const MOST_WARMING_MS = 5_000
/** Beyond what any round lasts: its end is here, not in autocannon. */
const FOREVER_S = 3_600

/** autocannon's own histograms have whole milliseconds and megabytes each; nothing is kept in them. */
const nothingKept = (() => {
  const ignore = () => undefined
  const histogram = { __custom: true, recordValue: ignore, recordValueWithExpectedInterval: ignore, reset: ignore, destroy: ignore }
  return { latencies: histogram, requests: histogram, throughput: histogram }
})()

type QuietOptions = Options & { histograms: typeof nothingKept }

function tell(message: FromDriver): void {
  process.send?.(message)
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Warms up, measures, waits for late answers under load, and lets go of all connections. */
async function run(plan: LoadPlan): Promise<Measured> {
  const log = new RoundLog(plan.seconds)
  const clients = startClients(plan, log)
  await warmUp(plan, clients)
  const startedAt = new Date().toISOString()
  const cpu = process.cpuUsage()
  const held = monitorEventLoopDelay({ resolution: LOOK_MS })
  held.enable()
  log.begin(performance.now())
  tell({ type: 'begin' })
  await delay(plan.seconds * 1_000)
  const { user, system } = process.cpuUsage(cpu)
  tell({ type: 'end' })
  const heldUpMs = Math.max(0, held.percentile(99) / 1e6 - LOOK_MS)
  held.disable()
  const last = performance.now() + plan.drainMs
  while (log.open > 0 && performance.now() < last) await delay(SETTLE_MS)
  clients.stop()
  return { startedAt, ...log.result(), loadCpu: (user + system) / 1e6 / plan.seconds, heldUpMs }
}

/** At least as long as planned, and until every client has had an answer; where some get none it goes on without them. */
async function warmUp({ warmUpSeconds }: LoadPlan, clients: Clients): Promise<void> {
  await delay(warmUpSeconds * 1_000 - SOON_MS)
  const last = performance.now() + MOST_WARMING_MS
  while (!clients.areWarm() && performance.now() < last) await delay(SETTLE_MS)
  tell({ type: 'soon' })
  await delay(SOON_MS)
}

interface Clients {
  areWarm(): boolean
  stop(): void
}

/** Each begins at a moment of its own in the first second; the moments are the same for the same seed. */
function startClients(plan: LoadPlan, log: RoundLog): Clients {
  const random = seededRandom(plan.seed)
  const draw = plan.keys === null ? null : zipf(plan.keys.count, plan.keys.exponent, random)
  const seen = Array.from({ length: plan.clients }, () => new ClientLog(log))
  const stops: (() => void)[] = []
  const timers = seen.map((own, number) =>
    setTimeout(() => stops.push(startClient(plan, { seen: own, number, keyOf: draw ?? (() => number) })), random() * SPREAD_MS),
  )
  return {
    areWarm: () => seen.every(({ isWarm }) => isWarm),
    stop() {
      for (const timer of timers) clearTimeout(timer)
      for (const stop of stops) stop()
    },
  }
}

interface ClientPlan {
  seen: ClientLog
  number: number
  keyOf: Random
}

function startClient({ url }: LoadPlan, { seen, number, keyOf }: ClientPlan): () => void {
  let client: Client | undefined
  const common = { 'x-forwarded-for': addressOf(number) }
  const setupRequest: NonNullable<NonNullable<Options['requests']>[number]['setupRequest']> = (request) => {
    const headers = { ...common, [KEY_HEADER]: `k${keyOf()}`, ...(seen.isMeasured ? { [MEASURED_HEADER]: '1' } : {}) }
    return { ...request, headers }
  }
  const options: QuietOptions = {
    url,
    connections: 1,
    overallRate: 1,
    duration: FOREVER_S,
    timeout: FOREVER_S,
    skipAggregateResult: true,
    histograms: nothingKept,
    requests: [{ setupRequest }],
    setupClient(made) {
      client = made
      hear(made, seen)
    },
  }
  // Its promise is fulfilled within a second after the client has let go.
  autocannon(options).catch(() => undefined)
  return () => {
    seen.fail()
    ;(client as (Client & { destroy(): void }) | undefined)?.destroy()
  }
}

function hear(client: NodeJS.EventEmitter, seen: ClientLog): void {
  client.on('request', () => seen.begin(performance.now()))
  client.on('response', (status: number) => seen.answer(status, performance.now()))
  client.on('connError', () => seen.fail())
}

/** Clients are told apart by their addresses, where the balancer believes what a trusted proxy says. */
function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

const guarded = new Set<number>()

function endGuarded(): void {
  for (const pid of guarded) {
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // It has ended before.
    }
  }
  process.exit(0)
}

process.on('message', (message: ToDriver) => {
  if (message.type === 'guard') guarded.add(message.pid)
  else void run(message.plan).then((measured) => tell({ type: 'measured', measured }))
})
process.on('disconnect', endGuarded)
// Ctrl-C goes to all processes of a terminal: the parent ends this one when it needs it no more.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
tell({ type: 'loaded' })
