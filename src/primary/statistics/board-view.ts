/** The board as statistics read it: each number over all workers. Reads only, from any thread that has mapped it. */
import { abi } from '../../native/abi.ts'
import {
  blockAtByte,
  histogram,
  inFlightIndex,
  listenerIndex,
  routeIndex,
  seriesAtByte,
  serverIndex,
  waitingIndex,
  workerIndex,
} from '../../shared/board/layout.ts'
import { figure, type RowKind, type SeriesReader } from './keeper.ts'
import { BLOCK, BLOCKS, type Reading } from './series-history.ts'

const { board: size, routeCounter, serverCounter, workerCounter } = abi

export class BoardView implements SeriesReader {
  readonly columns: number
  readonly #bytes: DataView
  readonly #totals: Int32Array
  readonly #counters: Float64Array
  readonly #words: Uint32Array
  readonly #halves: Uint16Array

  constructor(memory: ArrayBuffer, columns: number) {
    this.columns = columns
    this.#bytes = new DataView(memory)
    this.#totals = new Int32Array(memory, 0, Math.floor(memory.byteLength / 4))
    this.#words = new Uint32Array(memory, 0, Math.floor(memory.byteLength / 4))
    this.#halves = new Uint16Array(memory, 0, Math.floor(memory.byteLength / 2))
    this.#counters = new Float64Array(memory, 0, Math.floor(memory.byteLength / 8))
  }

  worker(column: number, counter: number): number {
    return this.#counters[workerIndex(column, counter)] as number
  }
  allWorkers(counter: number): number {
    return this.#sum((column) => workerIndex(column, counter))
  }
  server(slot: number, counter: number): number {
    return this.#sum((column) => serverIndex(column, slot, counter))
  }
  listener(slot: number, counter: number): number {
    return this.#sum((column) => listenerIndex(column, slot, counter))
  }
  route(row: number, counter: number): number {
    return this.#sum((column) => routeIndex(column, row, counter))
  }
  inFlight(slot: number): number {
    return Math.max(0, Atomics.load(this.#totals, inFlightIndex(slot)))
  }
  waiting(slot: number): number {
    return Math.max(0, Atomics.load(this.#totals, waitingIndex(slot)))
  }

  count(of: RowKind, row: number, phase: number): number {
    let sum = 0
    for (let column = 0; column < this.columns; column++) sum += this.#long(seriesAtByte(column, of, row, phase) + histogram.countAt)
    return sum
  }

  read(of: RowKind, row: number, phase: number, into: Reading): void {
    for (let column = 0; column < this.columns; column++) {
      const at = seriesAtByte(column, of, row, phase)
      const count = this.#long(at + histogram.countAt)
      if (count === 0) continue
      into.count += count
      into.sumUs += this.#long(at + histogram.sumAt)
      for (let position = 0; position < BLOCKS; position++) {
        const block = this.#halves[(at + histogram.numbersAt) / 2 + position] as number
        if (block === 0 || block >= size.histogramBlocks) continue
        into.blocks |= 1 << position
        this.#addBlock(column, block, position * BLOCK, into.counts)
      }
    }
  }

  figures(of: RowKind, row: number, into: Float64Array): void {
    for (let column = 0; column < this.columns; column++) {
      if (of === 'server') this.#addServer(serverIndex(column, row, 0), into)
      else this.#addRoute(routeIndex(column, row, 0), into)
    }
  }

  terminations(into: Float64Array): void {
    for (let column = 0; column < this.columns; column++) {
      for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + this.worker(column, workerCounter.terminations + i)
    }
  }

  /** Ended attempts: what came to something, what failed, and of both what is an error to whoever asked. */
  #addServer(at: number, into: Float64Array): void {
    const read = (counter: number) => this.#counters[at + counter] as number
    const failures = read(serverCounter.failures)
    const failedStatuses = read(serverCounter.failedStatuses)
    add(into, figure.requests, read(serverCounter.successes) + failedStatuses + failures)
    add(into, figure.errors, failures + Math.max(failedStatuses, read(serverCounter.status5xx)))
    add(into, figure.bytesIn, read(serverCounter.bytesSent))
    add(into, figure.bytesOut, read(serverCounter.bytesReceived))
  }

  #addRoute(at: number, into: Float64Array): void {
    const read = (counter: number) => this.#counters[at + counter] as number
    for (let status = routeCounter.noStatus; status <= routeCounter.status5xx; status++) add(into, figure.requests, read(status))
    add(into, figure.errors, read(routeCounter.status5xx))
    add(into, figure.bytesIn, read(routeCounter.bytesIn))
    add(into, figure.bytesOut, read(routeCounter.bytesOut))
  }

  #addBlock(column: number, block: number, to: number, counts: Uint32Array): void {
    const at = blockAtByte(column, block) / 4
    for (let i = 0; i < BLOCK; i++) counts[to + i] = (counts[to + i] as number) + (this.#words[at + i] as number)
  }

  /** A 64-bit number that another process may be writing: its upper half must not change while it is read. */
  #long(at: number): number {
    for (;;) {
      const high = this.#bytes.getUint32(at + 4, true)
      const low = this.#bytes.getUint32(at, true)
      if (this.#bytes.getUint32(at + 4, true) === high) return high * 2 ** 32 + low
    }
  }

  #sum(index: (column: number) => number): number {
    let sum = 0
    for (let column = 0; column < this.columns; column++) sum += this.#counters[index(column)] as number
    return sum
  }
}

function add(into: Float64Array, i: number, value: number): void {
  into[i] = (into[i] as number) + value
}
