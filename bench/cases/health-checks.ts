// What share of a core do the active checks of 1,000 TCP and 1,000 HTTP servers take, each every 2 seconds?
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { CheckTarget } from '../../src/primary/health/check-target.ts'
import { HealthChecker } from '../../src/primary/health/checker.ts'
import type { HealthConfig } from '../../src/shared/config/model.ts'

const COUNT = 1000
const WARM_MS = 6_000
const MEASURED_MS = 12_000
/** The budget of the primary for 1,000 servers: shares of a core. */
const MUST = 0.15
const AIM = 0.1

const checks: Record<'tcp' | 'http', HealthConfig['check']> = {
  tcp: { kind: 'tcp' },
  http: {
    kind: 'http',
    path: '/healthz',
    method: 'GET',
    host: null,
    headers: [],
    statuses: [[200, 399]],
    body: null,
    softStop: null,
  },
}
const timing = { port: null, intervalMs: 2000, fastIntervalMs: 500, downIntervalMs: 5000, timeoutMs: 1000, rise: 2, fall: 3 }

if (process.argv[2] === 'servers') await serve()
else await measureAll()

/** In a process of its own, so that the checker's CPU time is only the checker's. */
async function serve(): Promise<void> {
  const tcp = createServer((socket) => socket.on('error', () => socket.destroy()).resume())
  const http = createHttpServer({ keepAliveTimeout: 60_000 }, (_request, response) => response.end('ok'))
  process.send?.({ tcp: await listen(tcp), http: await listen(http) })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '0.0.0.0', 1024)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function measureAll(): Promise<void> {
  const servers = fork(new URL(import.meta.url), ['servers'], { execArgv: ['--import', 'tsx'] })
  try {
    const [ports] = (await once(servers, 'message')) as [Record<'tcp' | 'http', number>]
    await measure(['tcp'], ports)
    await measure(['http'], ports)
    await measure(['tcp', 'http'], ports)
  } finally {
    await stop(servers)
  }
}

async function measure(kinds: ('tcp' | 'http')[], ports: Record<'tcp' | 'http', number>): Promise<void> {
  let verdicts = 0
  const checker = new HealthChecker({ events: { verdict: () => verdicts++, drain: () => undefined, agent: () => undefined } })
  checker.update(kinds.flatMap((kind) => targets(kind, ports[kind])))
  checker.start()
  await pause(WARM_MS)
  const before = process.cpuUsage()
  const began = performance.now()
  await pause(MEASURED_MS)
  const used = process.cpuUsage(before)
  const share = (used.user + used.system) / 1000 / (performance.now() - began)
  const rows = checker.report()
  checker.stop()
  const up = rows.filter((row) => row.state === 'up').length
  const rating = kinds.length > 1 ? '' : share <= AIM ? ', reaches the aim' : share <= MUST ? ', within the budget' : ', over the budget'
  const perCheckUs = (share * 1e6) / ((rows.length / timing.intervalMs) * 1000)
  const cost = `${(share * 100).toFixed(1)} % of a core${rating}; ${perCheckUs.toFixed(0)} us per check`
  console.log(`${kinds.join(' and ')}: ${rows.length} servers, ${up} up after ${verdicts} verdicts: ${cost}`)
}

/** Each at an address of its own, as real servers are. */
function targets(kind: 'tcp' | 'http', port: number): CheckTarget[] {
  const health: HealthConfig = { ...timing, check: checks[kind], initial: 'hold' }
  return Array.from({ length: COUNT }, (_, index) => {
    const ip = `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`
    return {
      id: `${kind}/${index}`,
      addresses: [{ ip, port }],
      authority: `${ip}:${port}`,
      health,
      agent: null,
      sendProxyProtocol: 'off' as const,
    }
  })
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill()
  await gone
}
