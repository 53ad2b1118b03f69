/** The counters that the processes of a balancer share, read through /proc. Layout: native/stats/board.h. */
import { closeSync, openSync, readSync } from 'node:fs'
import { abi } from '../../../src/native/abi.ts'
import { blockAtByte, layout, histogram as layoutOfHistograms, seriesAtByte } from '../../../src/shared/board/layout.ts'
import { BOARD_FD } from '../../../src/shared/ipc/protocol.ts'
import type { Balancer } from './balancer.ts'

const { board: size, listenerCounter, phase, refusal, routeCounter, serverCounter, workerCounter } = abi
const { totalsAt, columnsAt, columnBytes, serversAt, routesAt } = layout
const { blocks: BLOCKS, blockCounts, blockBytes, numbersAt } = layoutOfHistograms

type Refusals = Record<Exclude<keyof typeof refusal, 'count'>, number>

export interface BoardReader {
  /** One counter, summed over all workers. */
  worker(counter: keyof typeof workerCounter): number
  /** The same of a listener, by its place in the config. */
  listener(listener: number, counter: keyof typeof listenerCounter): number
  /** Connections that were refused, by reason. */
  refusals(listener: number): Refusals
  /** One counter of a server, numbered in the order of the config, over all workers. */
  server(server: number, counter: keyof typeof serverCounter): number
  /** The same of a route's row: that of a listener without a route, or from `abi.board.listeners` on in the order of the config. */
  route(row: number, counter: keyof typeof routeCounter): number
  /** Exchanges and tunnels that ended so. */
  ended(termination: keyof typeof abi.termination): number
  /** Counts by bucket of a histogram over all workers, see native/stats/histogram.h. */
  histogram(of: 'server' | 'route', row: number, which: keyof typeof phase): Float64Array
  /** What a server has in flight over all workers; servers are numbered in the order of the config. */
  inFlight(server: number): number
}

/** Reads the board of a running balancer; every call reads it anew. */
export function boardOf(weir: Balancer): BoardReader {
  const workers = weir.workerPids()
  const path = `/proc/${workers[0]}/fd/${BOARD_FD}`
  const sum = (offset: number) =>
    workers.reduce((total, _, column) => total + read(path, columnsAt + column * columnBytes + offset, 'double'), 0)
  const listener = (slot: number, counter: number) => sum(size.workerBytes + slot * size.listenerStride + counter * 8)
  return {
    worker: (counter) => sum(workerCounter[counter] * 8),
    listener: (slot, counter) => listener(slot, listenerCounter[counter]),
    refusals(slot) {
      const reasons = Object.entries(refusal).filter(([name]) => name !== 'count')
      return Object.fromEntries(
        reasons.map(([name, reason]) => [name, listener(slot, listenerCounter.refusedUntrustedProxy + reason)]),
      ) as Refusals
    },
    server: (slot, counter) => sum(serversAt + slot * size.serverStride + serverCounter[counter] * 8),
    route: (row, counter) => sum(routesAt + row * size.routeStride + routeCounter[counter] * 8),
    ended: (termination) => sum((workerCounter.terminations + abi.termination[termination]) * 8),
    histogram(of, row, which) {
      const counts = new Float64Array(BLOCKS * blockCounts)
      workers.forEach((_, column) => {
        const blocks = bytesAt(path, seriesAtByte(column, of, row, phase[which]) + numbersAt, BLOCKS * 2)
        for (let block = 0; block < BLOCKS; block++) {
          const number = blocks.readUInt16LE(block * 2)
          if (number === 0) continue
          const found = bytesAt(path, blockAtByte(column, number), blockBytes)
          for (let i = 0; i < blockCounts; i++) {
            const at = block * blockCounts + i
            counts[at] = (counts[at] as number) + found.readUInt32LE(i * 4)
          }
        }
      })
      return counts
    },
    inFlight: (server) => read(path, totalsAt + server * size.totalStride, 'int32'),
  }
}

function bytesAt(path: string, at: number, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  const fd = openSync(path, 'r')
  try {
    if (readSync(fd, bytes, 0, count, at) !== count) throw new Error(`the board has no bytes at ${at}`)
  } finally {
    closeSync(fd)
  }
  return bytes
}

function read(path: string, at: number, type: 'double' | 'int32'): number {
  const bytes = bytesAt(path, at, 8)
  return type === 'double' ? bytes.readDoubleLE() : bytes.readInt32LE()
}
