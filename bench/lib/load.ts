/** The load programs: servers behind the proxy and clients before it. All run on the load core. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { notInstalled } from './installed.ts'
import { type Core, output, printed, start, stop } from './processes.ts'

/** Where they are built. */
export const programs = join(import.meta.dirname, '../../build/bench')

export interface Origins {
  ports: [number, number]
  stop(): Promise<void>
}

/** Two HTTP servers that answer at once. `host` is what they listen on; `more` are options of load/origin.cc. */
export function startOrigins(core: Core, host = '127.0.0.1', more: string[] = []): Promise<Origins> {
  return startPair('origin', core, host, more)
}

/** The same without HTTP: see bench/load/echo.cc. */
export function startEchoes(core: Core, host = '127.0.0.1'): Promise<Origins> {
  return startPair('echo', core, host)
}

async function startPair(program: string, core: Core, host: string, more: string[] = []): Promise<Origins> {
  const children = [1, 2].map(() => start(core, join(programs, program), ['--host', host, ...more]))
  const ports = await Promise.all(children.map((child) => printed(child, /listening (\d+)/, 5_000)))
  return {
    ports: [Number(ports[0]), Number(ports[1])],
    stop: async () => {
      await Promise.all(children.map(stop))
    },
  }
}

export interface ClosedLoopResult {
  requests: number
  seconds: number
  requestsPerSecond: number
}

/** The program that makes closed-loop HTTP load here. `BENCH_LOAD=autocannon` takes the second best although wrk is there. */
export function httpLoadProgram(): 'wrk' | 'autocannon' {
  return notInstalled('wrk', 'wrk') === null && process.env['BENCH_LOAD'] !== 'autocannon' ? 'wrk' : 'autocannon'
}

/** As many requests as `connections` can make, by wrk where it is installed, else by autocannon. Rejects when any of them failed. */
export function httpLoad(options: ClosedLoop): Promise<ClosedLoopResult> {
  return httpLoadProgram() === 'wrk' ? wrk(options) : autocannon(options)
}

/** The same by autocannon, in a process of its own: a fifth of what wrk can do, so rows will be marked as limited by it. */
async function autocannon(options: ClosedLoop): Promise<ClosedLoopResult> {
  const program = createRequire(import.meta.url).resolve('autocannon')
  const url = `http://127.0.0.1:${options.port}${options.path ?? '/'}`
  const words = ['--json', '--no-progress', '-c', options.connections, '-d', options.seconds, '-t', 10, url].map(String)
  const text = await output(options.core, process.execPath, [program, ...words])
  const result: { errors: number; non2xx: number; duration: number; '2xx': number } = JSON.parse(text)
  const failed = result.errors + result.non2xx
  if (failed > 0) throw new Error(`autocannon: ${failed} requests failed`)
  return { requests: result['2xx'], seconds: result.duration, requestsPerSecond: result['2xx'] / result.duration }
}

export interface ClosedLoop {
  core: Core
  port: number
  connections: number
  seconds: number
  path?: string
}

/** As many requests as `connections` can make, one in flight on each. Rejects when any of them failed. */
export async function wrk(options: ClosedLoop): Promise<ClosedLoopResult> {
  const url = `http://127.0.0.1:${options.port}${options.path ?? '/'}`
  const words = ['-t1', `-c${options.connections}`, `-d${options.seconds}s`, '--timeout', '10s', url]
  const text = await output(options.core, 'wrk', words)
  const failed = /^\s*(Socket errors:.*|Non-2xx or 3xx responses:.*)$/m.exec(text)
  if (failed) throw new Error(`wrk: ${failed[1]}`)
  const total = /(\d+) requests in ([\d.]+)(s|m)/.exec(text)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)
  if (!total || !rate) throw new Error(`wrk printed something unexpected: ${text}`)
  return { requests: Number(total[1]), seconds: Number(total[2]) * (total[3] === 'm' ? 60 : 1), requestsPerSecond: Number(rate[1]) }
}

/** Microseconds, but for counts and `rate` (per second). */
export interface PaceResult {
  sent: number
  completed: number
  errors: number
  late: number
  unsent: number
  /** Completed ones, with those of the half second that is not counted otherwise. */
  answered: number
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
  rate: number
}

export interface Pace extends ClosedLoop {
  /** Requests per second, sent whether answers come or not; 0 is a closed loop. */
  rate: number
  /** Number of different values of `#` in the path. */
  spread?: number
}

/** See bench/load/pace.cc. Rejects when any request failed. */
export async function pace(options: Pace): Promise<PaceResult> {
  const words = ['--port', options.port, '--rate', options.rate, '--connections', options.connections, '--seconds', options.seconds]
  const more = ['--path', options.path ?? '/', '--spread', options.spread ?? 1]
  const result: PaceResult = JSON.parse(await output(options.core, join(programs, 'pace'), [...words, ...more].map(String)))
  if (result.errors > 0) throw new Error(`pace: ${result.errors} of ${result.sent} requests failed`)
  return result
}

/** Times in microseconds, from the connecting to the end of the stream. */
export interface OneShotResult {
  completed: number
  /** Connections that were reset after their answer. */
  resets: number
  seconds: number
  /** Completed per second. */
  rate: number
  p50: number
  p99: number
  max: number
}

/** A connection for each request: see bench/load/one_shot.cc. Rejects when any answer was wrong. */
export async function oneShots(options: ClosedLoop & { most?: number }): Promise<OneShotResult> {
  const words = ['--port', options.port, '--connections', options.connections, '--seconds', options.seconds]
  const more = ['--path', options.path ?? '/', '--most', options.most ?? 1e15]
  return JSON.parse(await output(options.core, join(programs, 'one_shot'), [...words, ...more].map(String)))
}

export interface TunnelLoad {
  core: Core
  port: number
  mode: 'exchange' | 'bulk' | 'connect'
  connections: number
  seconds: number
  /** Of a message or a transfer; 64 by default. */
  bytes?: number
  /** No more exchanges, transfers or connections than that are begun. */
  most?: number
}

/** Times in microseconds, from the first byte sent (or the start of the connecting) to the last one received. */
export interface TunnelResult {
  /** Exchanges, transfers or connections. */
  completed: number
  /** Received ones. */
  bytes: number
  seconds: number
  /** Completed per second. */
  rate: number
  p50: number
  p99: number
  p999: number
  max: number
}

/** See bench/load/tunnels.cc. Rejects when anything but the right bytes came back. */
export async function tunnels(options: TunnelLoad): Promise<TunnelResult> {
  const words = ['--port', options.port, '--mode', options.mode, '--connections', options.connections, '--seconds', options.seconds]
  const more = ['--bytes', options.bytes ?? 64, '--most', options.most ?? 1e15]
  return JSON.parse(await output(options.core, join(programs, 'tunnels'), [...words, ...more].map(String)))
}

/** Opens `connections` connections, makes one request on each, holds them while `during` runs, and lets them go. */
export function whileHolding<T>(options: ClosedLoop, during: () => Promise<T>): Promise<T> {
  return whileHeld('hold', options, [], during)
}

/** The same with a program that prints `held N` once it holds them, within `seconds`. */
export async function whileHeld<T>(program: string, options: ClosedLoop, more: string[], during: () => Promise<T>): Promise<T> {
  const words = ['--port', options.port, '--connections', options.connections, ...more].map(String)
  const child = start(options.core, join(programs, program), words)
  try {
    await printed(child, /held (\d+)/, options.seconds * 1_000)
    return await during()
  } finally {
    await stop(child)
  }
}
