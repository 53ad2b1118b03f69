/** The counters that the processes of a balancer share, read through /proc. Layout: native/stats/board.h. */
import { closeSync, openSync, readSync } from 'node:fs'
import { abi } from '../../../src/native/abi.ts'
import { BOARD_FD } from '../../../src/shared/ipc/protocol.ts'
import type { Balancer } from './balancer.ts'

const { board: size, listenerCounter, refusal, workerCounter } = abi
const totalsAt = size.headerBytes
const columnsAt = totalsAt + size.servers * size.totalStride
const addressesAt = size.workerBytes + size.listeners * size.listenerStride + size.servers * size.serverStride
const columnBytes = addressesAt + size.addresses * 16

type Refusals = Record<Exclude<keyof typeof refusal, 'count'>, number>

export interface BoardReader {
  /** One counter, summed over all workers. */
  worker(counter: keyof typeof workerCounter): number
  /** The same of a listener, by its place in the config. */
  listener(listener: number, counter: keyof typeof listenerCounter): number
  /** Connections that were refused, by reason. */
  refusals(listener: number): Refusals
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
    inFlight: (server) => read(path, totalsAt + server * size.totalStride, 'int32'),
  }
}

function read(path: string, at: number, type: 'double' | 'int32'): number {
  const bytes = Buffer.alloc(8)
  const fd = openSync(path, 'r')
  try {
    if (readSync(fd, bytes, 0, 8, at) !== 8) throw new Error(`the board has no bytes at ${at}`)
  } finally {
    closeSync(fd)
  }
  return type === 'double' ? bytes.readDoubleLE() : bytes.readInt32LE()
}
