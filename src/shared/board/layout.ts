import { abi } from '../../native/abi.ts'

/** Where things are on the board, in bytes. C++ twin: native/stats/board.h, which alone knows the TLS sessions behind the columns. */
const { board: size } = abi
const totalsAt = size.headerBytes
const columnsAt = totalsAt + size.servers * size.totalStride
const listenersAt = size.workerBytes
const serversAt = listenersAt + size.listeners * size.listenerStride
const addressesAt = serversAt + size.servers * size.serverStride
const routesAt = addressesAt + size.addresses * 16
const seriesAt = routesAt + size.routes * size.routeStride
/** How the counts of a histogram lie on the board: in so many blocks at most, of so many 32-bit counts. See native/stats/histogram_map.h. */
export const histogram = { blocks: 21, blockCounts: 128, blockBytes: 512, countAt: 0, sumAt: 8, numbersAt: 16 } as const
const blocksAt = seriesAt + (size.servers + size.routes) * abi.phase.count * size.seriesBytes
const ringAt = blocksAt + size.histogramBlocks * histogram.blockBytes
/** A page for the numbers of the ring, then its bytes. */
const columnBytes = ringAt + 4096 + size.ringBytes

export const layout = { totalsAt, columnsAt, listenersAt, serversAt, addressesAt, routesAt, seriesAt, blocksAt, ringAt, columnBytes }

/** Index of a worker's counter in a Float64Array over the whole board. */
export function workerIndex(column: number, counter: number): number {
  return (columnsAt + column * columnBytes) / 8 + counter
}

/** The same of a counter in a (worker, server) cell. */
export function serverIndex(column: number, slot: number, counter: number): number {
  return (columnsAt + column * columnBytes + serversAt + slot * size.serverStride) / 8 + counter
}

/** Index of a server's in-flight total in an Int32Array over the whole board. */
export function inFlightIndex(slot: number): number {
  return (totalsAt + slot * size.totalStride) / 4
}

/** The same of how many wait in the queue that this row stands for. */
export function waitingIndex(slot: number): number {
  return inFlightIndex(slot) + 1
}

/** Index of a listener's counter of one worker in a Float64Array over the whole board. */
export function listenerIndex(column: number, listener: number, counter: number): number {
  return (columnsAt + column * columnBytes + listenersAt + listener * size.listenerStride) / 8 + counter
}

/** The same of a counter in a (worker, route) cell. */
export function routeIndex(column: number, route: number, counter: number): number {
  return (columnsAt + column * columnBytes + routesAt + route * size.routeStride) / 8 + counter
}

/** Byte at which the head of a server's or route's histogram begins. */
export function seriesAtByte(column: number, of: 'server' | 'route', row: number, phase: number): number {
  const first = of === 'server' ? row : size.servers + row
  return columnsAt + column * columnBytes + seriesAt + (first * abi.phase.count + phase) * size.seriesBytes
}

/** Byte at which a block of a worker's histograms begins. */
export function blockAtByte(column: number, number: number): number {
  return columnsAt + column * columnBytes + blocksAt + number * histogram.blockBytes
}
