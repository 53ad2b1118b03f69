/** Views of a fleet that moves, as weir would show it: for pages and pictures that need more than a test's own servers. */
import type { LiveServer, LiveView, PhaseQuantiles, Quantiles, Rates, WindowName } from '../../../src/shared/statistics/live.ts'

/** A histogram of `count` values around `p50` with a tail; times in µs. */
function quantiles(count: number, p50: number, tail = 6): Quantiles {
  const at = (factor: number) => Math.round(p50 * factor)
  return { count, p50: at(1), p90: at(1 + tail * 0.25), p99: at(1 + tail), p999: at(1 + tail * 2.4), max: at(1 + tail * 3.1) }
}

/** Phases of a server or route whose first byte takes about `p50` µs; null ones where nothing was measured. */
export function phasesAround(count: number, p50: number, tail?: number): PhaseQuantiles {
  if (count === 0) return { queue: null, connect: null, firstByte: null, total: null, overhead: null }
  return {
    queue: null,
    connect: quantiles(Math.ceil(count / 40), 180),
    firstByte: quantiles(count, p50, tail),
    total: quantiles(count, p50 * 1.1, tail),
    overhead: quantiles(count, 31, 1.9),
  }
}

/** Rates of `requestsPerSecond` with answers of 8 KiB or so. */
export function ratesOf(requestsPerSecond: number, errorShare = 0): Rates {
  return { requestsPerSecond, errorShare, bytesInPerSecond: requestsPerSecond * 640, bytesOutPerSecond: requestsPerSecond * 8_300 }
}

/** A server that is up; what is given differs. */
export function liveServer(id: string, differs: Partial<LiveServer> = {}): LiveServer {
  const name = id.slice(id.indexOf('/') + 1)
  return {
    id,
    name,
    address: `10.0.0.${(name.charCodeAt(0) % 90) + 10}:9001`,
    isBackup: false,
    state: 'up',
    admin: 'ready',
    reason: null,
    weightPercent: 100,
    inFlight: 3,
    tunnels: 0,
    idleConnections: 12,
    rates: ratesOf(400),
    latency: phasesAround(4_000, 2_100),
    checks: '+'.repeat(64),
    ...differs,
  }
}

/** `second` moves the figures a little, the same way each time. */
export function liveView(second = 0, window: WindowName = '10s', differs: Partial<LiveView> = {}): LiveView {
  const wave = (size: number, of = 11) => size * Math.sin((second / of) * 2 * Math.PI) + size * 0.4 * Math.sin(second * 1.7)
  const p50 = 2_050 + wave(160)
  const requests = 1_840 + wave(210)
  const servers = [
    liveServer('api/a', { inFlight: Math.round(7 + wave(2)), rates: ratesOf(requests * 0.41), latency: phasesAround(7_000, p50) }),
    liveServer('api/b', {
      inFlight: Math.round(6 + wave(2, 7)),
      rates: ratesOf(requests * 0.4, 0.002),
      checks: `${'+'.repeat(40)}-${'+'.repeat(23)}`,
    }),
    liveServer('api/c', { ...warming, rates: ratesOf(requests * 0.1), latency: phasesAround(1_700, p50 * 1.3) }),
    liveServer('api/spare', { isBackup: true, inFlight: 0, rates: ratesOf(0), latency: phasesAround(0, 0) }),
  ]
  const images = [
    liveServer('images/east', { ...draining, rates: ratesOf(4), latency: phasesAround(40, 18_000) }),
    liveServer('images/west', { inFlight: 9, rates: ratesOf(166, 0.013), latency: phasesAround(1_600, 16_400, 3) }),
    liveServer('images/south', { ...down, rates: ratesOf(0), latency: phasesAround(0, 0) }),
  ]
  return {
    time: new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString(),
    version: '0.1.0',
    generation: 42,
    uptimeSeconds: 273_000 + second,
    window,
    rates: ratesOf(requests, 0.0021),
    latency: phasesAround(18_400, p50),
    distribution: distributionAround(18_400, p50),
    terminations: { ok: 18_362, client_abort: 21, upstream_reset: 9, first_byte_timeout: 6, queue_timeout: 2 },
    listeners: [
      { name: 'web', addresses: ['0.0.0.0:80', '[::]:80'], protocol: 'http', connections: Math.round(812 + wave(30)) },
      { name: 'db', addresses: ['127.0.0.1:5432'], protocol: 'tcp', connections: 24 },
    ],
    routes: [
      { listener: 'web', name: 'api.example.com /v1/', active: 16, rates: ratesOf(requests * 0.9), latency: phasesAround(16_600, p50) },
      { listener: 'web', name: 'img.example.com', active: 14, rates: ratesOf(170, 0.013), latency: phasesAround(1_700, 16_600, 3) },
    ],
    upstreams: [
      {
        name: 'api',
        balance: 'least-connections',
        waiting: 0,
        held: 0,
        rates: ratesOf(requests * 0.91, 0.001),
        latency: phasesAround(16_700, p50),
        servers,
      },
      {
        name: 'images',
        balance: 'power-of-two',
        waiting: 3,
        held: 0,
        rates: ratesOf(170, 0.013),
        latency: phasesAround(1_640, 16_500, 3),
        servers: images,
      },
    ],
    workers: [1, 2].map((number) => ({ number, pid: 4_100 + number, state: 'ready', connections: 418, tunnels: 12, restarts: number - 1 })),
    work: [{ kind: 'drain', subject: 'images/east', progress: `${draining.inFlight} in flight`, startedAt: '2026-01-31T11:59:48.000Z' }],
    ...differs,
  }
}

const warming = { state: 'warming', reason: '40% of its slow start is over', inFlight: 2 }
const draining = { state: 'draining', admin: 'drain', reason: '4 in flight; drained by command', inFlight: 4, tunnels: 1 }
const down = {
  state: 'down',
  reason: 'L4CON connection refused, 9 bad checks',
  inFlight: 0,
  checks: `${'+'.repeat(55)}---------`,
}

/** Buckets of a log-normal distribution with a second hump far out, as a cache with misses has. */
function distributionAround(count: number, p50: number): [number, number][] {
  const buckets = Array.from({ length: 90 }, (_, index) => Math.round(220 * 1.1 ** index))
  const hump = (value: number, middle: number, width: number) => Math.exp(-((Math.log(value / middle) / width) ** 2))
  const weights = buckets.map((value) => hump(value, p50, 0.45) + 0.02 * hump(value, p50 * 8, 0.5) + 0.0002 * hump(value, p50 * 30, 0.4))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  return buckets
    .map((value, index): [number, number] => [value, Math.round((count * (weights[index] ?? 0)) / all)])
    .filter(([, n]) => n > 0)
}
