/** Watches on the board where the requests of a running balancer go, from outside and as they are sent. */
import { closeSync, openSync, readSync } from 'node:fs'
import { abi } from '../../../src/native/abi.ts'
import { inFlightIndex, serverIndex } from '../../../src/shared/board/layout.ts'
import { BOARD_FD } from '../../../src/shared/ipc/protocol.ts'
import type { Balancer } from './balancer.ts'
import type { Scope } from './wait.ts'

const SAMPLE_MS = 10
const { serverCounter: counter } = abi

/** What makes an attempt visible. A connection that is refused at once is a failure and nothing else. */
export type Trace = 'attempts' | 'attempts-and-refusals'

interface Sample {
  at: number
  /** Running totals by server. */
  attempts: number[]
  refusals: number[]
}

export interface ServerMeter {
  /** Share of the attempts of the last so many milliseconds that went to a server. */
  share(server: number, withinMs: number): number
  /** The first moment at or after `from` that begins `forMs` without an attempt at this server; undefined when none has yet. */
  quietFrom(server: number, from: number, forMs: number, trace: Trace): number | undefined
  /** Attempts at a server at or after `from`. */
  attemptsSince(server: number, from: number): number
  /** Most that a server had in flight since the meter began. */
  readonly mostInFlight: readonly number[]
}

/** Samples every 10 ms until the scope ends. Servers are numbered in the order of the config. */
export function startMeter(scope: Scope, weir: Balancer, servers: number): ServerMeter {
  const workers = weir.workerPids()
  const fd = openSync(`/proc/${workers[0]}/fd/${BOARD_FD}`, 'r')
  const cells = Array.from({ length: servers }, (_, server) => workers.map((_pid, column) => serverIndex(column, server, 0) * 8))
  const samples: Sample[] = []
  const mostInFlight = new Array<number>(servers).fill(0)
  const look = () => {
    samples.push(sampleOf(fd, cells))
    for (let i = 0; i < servers; i++) mostInFlight[i] = Math.max(mostInFlight[i] as number, read(fd, inFlightIndex(i) * 4, 4).readInt32LE())
  }
  look()
  const timer = setInterval(look, SAMPLE_MS)
  scope.after(() => {
    clearInterval(timer)
    closeSync(fd)
  })
  return meterOf(samples, mostInFlight)
}

function meterOf(samples: Sample[], mostInFlight: readonly number[]): ServerMeter {
  const last = () => samples.at(-1) as Sample
  const since = (at: number) => samples.findLast((sample) => sample.at <= at) ?? (samples[0] as Sample)
  const risesOf = (server: number, from: number, trace: Trace) =>
    samples.filter(
      (sample, i) => sample.at >= from && i > 0 && total(sample, server, trace) > total(samples[i - 1] as Sample, server, trace),
    )
  return {
    mostInFlight,
    share(server, withinMs) {
      const before = since(last().at - withinMs)
      const all = last().attempts.map((count, i) => count - (before.attempts[i] as number))
      const sum = all.reduce((a, b) => a + b, 0)
      return sum === 0 ? 0 : (all[server] as number) / sum
    },
    quietFrom(server, from, forMs, trace) {
      const moments = [from, ...risesOf(server, from, trace).map(({ at }) => at)]
      return moments.find((at, i) => (moments[i + 1] ?? last().at) - at >= forMs)
    },
    attemptsSince: (server, from) => (last().attempts[server] as number) - (since(from).attempts[server] as number),
  }
}

function total(sample: Sample, server: number, trace: Trace): number {
  return (sample.attempts[server] as number) + (trace === 'attempts' ? 0 : (sample.refusals[server] as number))
}

function sampleOf(fd: number, cells: number[][]): Sample {
  const sample: Sample = { at: performance.now(), attempts: [], refusals: [] }
  for (const columns of cells) {
    let attempts = 0
    let failures = 0
    for (const at of columns) {
      const cell = read(fd, at, counter.count * 8)
      attempts += cell.readDoubleLE(counter.connects * 8) + cell.readDoubleLE(counter.reused * 8)
      failures += cell.readDoubleLE(counter.failures * 8)
    }
    sample.attempts.push(attempts)
    sample.refusals.push(failures)
  }
  return sample
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  if (readSync(fd, bytes, 0, length, at) !== length) throw new Error(`the board has no ${length} bytes at ${at}`)
  return bytes
}
