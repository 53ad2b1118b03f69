/**
 * Entry of the process that makes the load, with autocannon. With its overall rate autocannon sends what is due at the begin of each second,
 * on all connections at once; so each connection is an instance of its own with a rate of one a second, and they start at random moments of
 * a second: together that is close to how requests of people arrive, and no answer that is late keeps others from being sent.
 */
import type { Client, Options } from 'autocannon'
import { ClientLog } from './client-log.ts'
import { type FromDriver, KEY_HEADER, type LoadPlan, MEASURED_HEADER, type Measured, type ToDriver } from './messages.ts'
import { RoundLog } from './round-log.ts'
import { type Random, seededRandom } from './seeded-random.ts'
import { zipf } from './zipf.ts'

const { default: autocannon } = await import('autocannon')

/** How long before the begin of the measured part it is announced. */
const SOON_MS = 300
const SETTLE_MS = 10
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
const until = (moment: number) => delay(Math.max(0, moment - performance.now()))

/** Warms up, measures, waits for late answers under load, and lets go of all connections. */
async function run(plan: LoadPlan): Promise<Measured> {
  const begin = performance.now() + plan.warmUpSeconds * 1_000
  const end = begin + plan.seconds * 1_000
  const log = new RoundLog(begin, plan.seconds)
  const clients = startClients(plan, log)
  await until(begin - SOON_MS)
  tell({ type: 'soon' })
  await until(begin)
  const startedAt = new Date().toISOString()
  const cpu = process.cpuUsage()
  tell({ type: 'begin' })
  await until(end)
  const { user, system } = process.cpuUsage(cpu)
  tell({ type: 'end' })
  while (log.open > 0 && performance.now() < end + plan.drainMs) await delay(SETTLE_MS)
  clients.stop()
  return { startedAt, ...log.result(), loadCpu: (user + system) / 1e6 / plan.seconds }
}

/** Each begins at a moment of its own in the first second; the moments are the same for the same seed. */
function startClients(plan: LoadPlan, log: RoundLog): { stop(): void } {
  const random = seededRandom(plan.seed)
  const keyOf = plan.keys === null ? null : zipf(plan.keys.count, plan.keys.exponent, random)
  const stops: (() => void)[] = []
  const timers = Array.from({ length: plan.clients }, (_, number) =>
    setTimeout(() => stops.push(startClient(plan, { log, number, keyOf: keyOf ?? (() => number) })), random() * 1_000),
  )
  return {
    stop() {
      for (const timer of timers) clearTimeout(timer)
      for (const stop of stops) stop()
    },
  }
}

interface ClientPlan {
  log: RoundLog
  number: number
  keyOf: Random
}

function startClient({ url }: LoadPlan, { log, number, keyOf }: ClientPlan): () => void {
  const seen = new ClientLog(log)
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
  autocannon(options).on('error', () => undefined)
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
