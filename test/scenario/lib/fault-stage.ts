/** What the scenarios of real faults share: three servers, two workers with weir's defaults, 2,000 GETs a second, and what they did. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Balancer, type BalancerOptions, startBalancer } from './balancer.ts'
import { config } from './config.ts'
import { type FaultyServer, type FaultyServerOptions, startFaultyServer } from './faulty-server.ts'
import { type ServerMeter, startMeter, type Trace } from './server-meter.ts'
import { type SteadyLoad, startLoad } from './steady-load.ts'
import { until } from './wait.ts'

const RATE = 2_000
const LEAST_RATE = 250
/** More requests than come in so many milliseconds are on their way: that is what a machine looks like that cannot keep up. */
const BACKLOG_MS = 100
const SERVERS = 3
/** The one that fails, unless all do. */
const FAULTY = 0
/** A server is called detected when no request went to it for so long: longer than a worker by itself keeps away from one. */
const QUIET_MS = 1_500
/** The first such pause is when a client would say that traffic has moved. */
const PAUSE_MS = 200
const SHARE_WINDOW_MS = 300
/** A third is its fair share; power-of-two does not deal evenly over so short a time. */
const FAIR_ENOUGH = 0.25

/**
 * Detection has weir's own settings. What takes ten seconds by default, the return, is shortened: so long a scenario would show
 * nothing more.
 */
const RETURN = { health: { tcp: true, downInterval: '500ms' }, passiveHealth: { ejectFor: '2s' }, slowStart: '1s' }

export interface StageOptions {
  /** Further settings of the upstream. */
  upstream?: Record<string, unknown>
  /** Of the server that fails. */
  faulty?: FaultyServerOptions
  balancer?: BalancerOptions
}

export interface Stage {
  readonly weir: Balancer
  readonly faulty: FaultyServer
  readonly servers: readonly FaultyServer[]
  readonly load: SteadyLoad
  readonly meter: ServerMeter
  /** Marks the beginning of the fault, and makes it. */
  fault(make: () => void | Promise<void>): Promise<void>
  /** Waits until no request goes to the faulty server any more. */
  detected(trace: Trace): Promise<void>
  /** Marks the end of the fault, and ends it. */
  repair(make: () => void | Promise<void>): Promise<void>
  /** Milliseconds since the end of the fault. */
  sinceRepair(): number
  /** Waits until the server that failed (or each) has its share again. */
  recovered(which?: 'faulty' | 'all'): Promise<void>
  /** Stops the load and reports. */
  finish(): Promise<void>
}

/** Starts everything and waits until the load is spread over all servers. */
export async function setStage(t: TestContext, { upstream = {}, faulty = {}, balancer = {} }: StageOptions = {}): Promise<Stage> {
  const servers = await Promise.all(Array.from({ length: SERVERS }, (_, i) => startFaultyServer(t, i === FAULTY ? faulty : {})))
  const settings = config({ servers: servers.map(({ address }) => address), upstream: { ...RETURN, ...upstream } })
  const weir = await startBalancer(t, settings, { workers: 2, usesDefaults: true, ...balancer })
  const load = startLoad(t, { port: weir.port(), rate: RATE, connections: 4_000 })
  const meter = startMeter(t, weir, SERVERS)
  const stage = stageOf(t, { weir, servers, load, meter })
  await settle(load)
  await stage.recovered('all')
  return stage
}

/**
 * Waits until the load runs. Where the machine has other things to do the whole rate would only show that; what a fault does is seen
 * at half of it, too.
 */
async function settle(load: SteadyLoad): Promise<void> {
  for (;;) {
    const { answered, rate } = load
    await until(() => load.answered > answered + rate / 2, { what: 'the load runs' })
    if (load.waiting <= (rate * BACKLOG_MS) / 1000 || rate <= LEAST_RATE) return
    load.setRate(rate / 2)
    await until(() => load.waiting <= (load.rate * BACKLOG_MS) / 1000, { what: 'what was too much is answered' })
  }
}

function stageOf(t: TestContext, parts: Pick<Stage, 'weir' | 'servers' | 'load' | 'meter'>): Stage {
  const { servers, load, meter, weir } = parts
  const facts: string[] = []
  let faultAt = 0
  let repairAt = 0
  const hasShare = (server: number) => meter.share(server, SHARE_WINDOW_MS) >= FAIR_ENOUGH
  return {
    ...parts,
    faulty: servers[FAULTY] as FaultyServer,
    async fault(make) {
      faultAt = performance.now()
      await make()
    },
    async detected(trace) {
      const known = () => meter.quietFrom(FAULTY, faultAt, QUIET_MS, trace)
      await until(() => known() !== undefined, { within: 20_000, what: `no request goes to the faulty server\n${weir.log()}` })
      const first = meter.quietFrom(FAULTY, faultAt, PAUSE_MS, trace) as number
      const last = known() as number
      facts.push(`detection ${ms(first - faultAt)} ms, for good ${ms(last - faultAt)} ms`)
      facts.push(`${meter.attemptsSince(FAULTY, faultAt)} attempts at it since the fault`)
    },
    async repair(make) {
      await make()
      repairAt = performance.now()
    },
    sinceRepair: () => performance.now() - repairAt,
    async recovered(which = 'faulty') {
      const those = which === 'all' ? servers.map((_, i) => i) : [FAULTY]
      await until(() => those.every(hasShare), { within: 20_000, what: 'the server has its share' }).catch((cause) => {
        throw new Error(`shares ${servers.map((_, i) => meter.share(i, SHARE_WINDOW_MS).toFixed(2))}\n${weir.log()}`, { cause })
      })
      if (repairAt > 0) facts.push(`recovery ${ms(performance.now() - repairAt)} ms`)
    },
    async finish() {
      await load.stop()
      facts.push(`${load.sent} requests, ${load.rate} a second, ${load.failures.length} failed, at most ${load.connections} connections`)
      facts.push(`median ${load.quantile(0.5).toFixed(1)} ms, p99 ${ms(load.quantile(0.99))} ms, longest ${ms(load.quantile(1))} ms`)
      facts.push(`the load itself was late by ${ms(load.worstDelayMs)} ms at most`)
      for (const fact of facts) t.diagnostic(fact)
    },
  }
}

/** No client saw anything but the right answers. */
export function assertNoFailures({ load, weir }: Stage): void {
  assert.deepEqual(load.failures.slice(0, 10), [], `${load.failures.length} of ${load.sent} requests failed\n${weir.log()}`)
}

function ms(value: number): string {
  return value.toFixed(0)
}
