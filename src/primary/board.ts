import { abi } from '../native/abi.ts'
import type { Addon } from '../native/contract.ts'

const { board: size, serverCounter, workerCounter } = abi
const totalsAt = size.headerBytes
const columnsAt = totalsAt + size.servers * size.totalStride
const serversAt = size.workerBytes + size.listeners * size.listenerStride
const addressesAt = serversAt + size.servers * size.serverStride
const columnBytes = addressesAt + size.addresses * 16

/** The shared counters as the primary sees them. C++ twin: native/stats/board.h. */
export class Board {
  readonly fd: number
  readonly #totals: Int32Array
  readonly #counters: Float64Array

  constructor(addon: Addon, workers: number) {
    this.fd = addon.createBoard(workers)
    const memory = addon.mapBoard(this.fd, workers)
    this.#totals = new Int32Array(memory, totalsAt, (size.servers * size.totalStride) / 4)
    this.#counters = new Float64Array(memory, columnsAt, (workers * columnBytes) / 8)
  }

  /** One counter of a worker, by its number in `abi.workerCounter`. */
  worker(column: number, counter: number): number {
    return this.#counters[(column * columnBytes) / 8 + counter] as number
  }

  /** A worker died: its exchanges are no load any more, and its connections are closed. Its running totals stay. */
  clearColumn(column: number): void {
    const base = (column * columnBytes) / 8
    for (let slot = 0; slot < size.servers; slot++) {
      const at = base + (serversAt + slot * size.serverStride) / 8
      const inFlight = this.#counters[at + serverCounter.inFlight] as number
      if (inFlight !== 0) Atomics.sub(this.#totals, (slot * size.totalStride) / 4, inFlight)
      this.#counters[at + serverCounter.inFlight] = 0
      this.#counters[at + serverCounter.idle] = 0
    }
    for (let listener = 0; listener < size.listeners; listener++) {
      this.#counters[base + (size.workerBytes + listener * size.listenerStride) / 8 + abi.listenerCounter.connections] = 0
    }
    this.#counters.fill(0, base + addressesAt / 8, base + columnBytes / 8)
    for (const gauge of [workerCounter.alive, workerCounter.connections, workerCounter.openTunnels]) this.#counters[base + gauge] = 0
  }
}
