import { abi } from '../native/abi.ts'
import type { Addon } from '../native/contract.ts'
import {
  blockAtByte,
  histogram,
  inFlightIndex,
  layout,
  listenerIndex,
  routeIndex,
  seriesAtByte,
  serverIndex,
  waitingIndex,
  workerIndex,
} from '../shared/board/layout.ts'
import type { ServerCounters } from './health/passive.ts'
import { BoardView } from './statistics/board-view.ts'
import { BUCKETS } from './statistics/series-history.ts'

const { board: size, listenerCounter, routeCounter, serverCounter, workerCounter } = abi

const ACTIVITY = [serverCounter.exchanges, serverCounter.successes, serverCounter.failures, serverCounter.failedStatuses]

/** The shared counters as the primary sees them. */
export class Board {
  readonly fd: number
  readonly #workers: number
  readonly #totals: Int32Array
  readonly #counters: Float64Array
  readonly #view: BoardView

  constructor(addon: Addon, workers: number) {
    this.fd = addon.createBoard(workers)
    this.#workers = workers
    const memory = addon.mapBoard(this.fd, workers)
    this.#totals = new Int32Array(memory)
    this.#counters = new Float64Array(memory, 0, Math.floor(memory.byteLength / 8))
    this.#view = new BoardView(memory, workers)
  }

  /** One counter of a worker, by its number in `abi.workerCounter`. */
  worker(column: number, counter: number): number {
    return this.#counters[workerIndex(column, counter)] as number
  }

  /** What one worker has and did. */
  activityOf(column: number): { connections: number; exchanges: number; tunnels: number } {
    return {
      connections: this.worker(column, workerCounter.connections),
      exchanges: this.worker(column, workerCounter.exchanges),
      tunnels: this.worker(column, workerCounter.openTunnels),
    }
  }

  /** One counter of a server over all workers, by its number in `abi.serverCounter`. */
  server(slot: number, counter: number): number {
    let sum = 0
    for (let column = 0; column < this.#workers; column++) sum += this.#counters[serverIndex(column, slot, counter)] as number
    return sum
  }

  /** One counter of a listener over all workers, by its number in `abi.listenerCounter`. */
  listener(slot: number, counter: number): number {
    let sum = 0
    for (let column = 0; column < this.#workers; column++) sum += this.#counters[listenerIndex(column, slot, counter)] as number
    return sum
  }

  /** One counter of a route over all workers, by its number in `abi.routeCounter`. */
  route(row: number, counter: number): number {
    return this.#view.route(row, counter)
  }

  /** One counter of all workers together, by its number in `abi.workerCounter`. */
  allWorkers(counter: number): number {
    let sum = 0
    for (let column = 0; column < this.#workers; column++) sum += this.worker(column, counter)
    return sum
  }

  /** Exchanges and tunnels of a server over all workers. */
  inFlight(slot: number): number {
    return Atomics.load(this.#totals, inFlightIndex(slot))
  }

  /** Who waits in the queue or the hold that this row stands for, over all workers. */
  waiting(slot: number): number {
    return Atomics.load(this.#totals, waitingIndex(slot))
  }

  /** Grows with everything that a server does and fails to do: equal numbers mean that nothing happened meanwhile. */
  activity(slot: number): number {
    let sum = 0
    for (let column = 0; column < this.#workers; column++) {
      const at = serverIndex(column, slot, 0)
      for (const counter of ACTIVITY) sum += this.#counters[at + counter] as number
    }
    return sum
  }

  /** What a server's exchanges came to, for passive health and breakers. */
  outcomes(id: string, slot: number): ServerCounters {
    const sum = { id, exchanges: 0, failures: 0, firstByteUsSum: 0, runOfFailures: [] as number[] }
    for (let column = 0; column < this.#workers; column++) {
      const read = (counter: number) => this.#counters[serverIndex(column, slot, counter)] as number
      // Only what has come to something: an exchange that has merely begun is no success.
      const failures = read(serverCounter.failures) + read(serverCounter.failedStatuses)
      sum.exchanges += read(serverCounter.successes) + failures
      sum.failures += failures
      sum.firstByteUsSum += read(serverCounter.firstByteUs)
      sum.runOfFailures.push(read(serverCounter.failureRun))
    }
    return sum
  }

  /** The longest hold of the upstream that this row stands for, in milliseconds; begins anew when it is told to. */
  longestHold(slot: number, beginsAnew: boolean): number {
    let longest = 0
    for (let column = 0; column < this.#workers; column++) {
      const at = serverIndex(column, slot, serverCounter.longestHoldMs)
      longest = Math.max(longest, this.#counters[at] as number)
      if (beginsAnew) this.#counters[at] = 0
    }
    return longest
  }

  /** These rows get other occupants: their counters begin anew. */
  clearRows(slots: readonly number[]): void {
    for (const slot of slots) {
      Atomics.store(this.#totals, inFlightIndex(slot), 0)
      for (let column = 0; column < this.#workers; column++) {
        const at = serverIndex(column, slot, 0)
        this.#counters.fill(0, at, at + serverCounter.count)
        this.#clearHistograms(column, 'server', slot)
      }
    }
  }

  /** The same of a route's row. */
  clearRoute(row: number): void {
    for (let column = 0; column < this.#workers; column++) {
      const at = routeIndex(column, row, 0)
      this.#counters.fill(0, at, at + routeCounter.count)
      this.#clearHistograms(column, 'route', row)
    }
  }

  /** The sum of a histogram over all workers: counts by bucket, see control/latency-buckets.ts. */
  histogram(of: 'server' | 'route', row: number, phase: number): Uint32Array {
    const reading = { counts: new Uint32Array(BUCKETS), blocks: 0, count: 0, sumUs: 0 }
    this.#view.read(of, row, phase, reading)
    return reading.counts
  }

  #clearHistograms(column: number, of: 'server' | 'route', row: number): void {
    const memory = this.#counters.buffer
    for (let phase = 0; phase < abi.phase.count; phase++) {
      const at = seriesAtByte(column, of, row, phase)
      new Uint8Array(memory, at, histogram.numbersAt).fill(0)
      for (const number of new Uint16Array(memory, at + histogram.numbersAt, histogram.blocks)) {
        if (number > 0) new Uint32Array(memory, blockAtByte(column, number), histogram.blockCounts).fill(0)
      }
    }
  }

  /** A worker died: its exchanges are no load any more, and its connections are closed. Its running totals stay. */
  clearColumn(column: number): void {
    for (let slot = 0; slot < size.servers; slot++) {
      const at = serverIndex(column, slot, 0)
      const inFlight = this.#counters[at + serverCounter.inFlight] as number
      if (inFlight !== 0) Atomics.sub(this.#totals, inFlightIndex(slot), inFlight)
      for (const gauge of [serverCounter.inFlight, serverCounter.idle, serverCounter.failureRun, serverCounter.openTunnels])
        this.#counters[at + gauge] = 0
      const waiting = this.#counters[at + serverCounter.waiting] as number
      if (waiting !== 0) Atomics.sub(this.#totals, waitingIndex(slot), waiting)
      this.#counters[at + serverCounter.waiting] = 0
    }
    const base = workerIndex(column, 0)
    for (let row = 0; row < size.routes; row++) {
      const at = routeIndex(column, row, routeCounter.active)
      this.#counters[base + workerCounter.lost] = (this.#counters[base + workerCounter.lost] as number) + (this.#counters[at] as number)
      this.#counters[at] = 0
    }
    for (let listener = 0; listener < size.listeners; listener++) {
      this.#counters[listenerIndex(column, listener, listenerCounter.connections)] = 0
    }
    this.#counters.fill(0, base + layout.addressesAt / 8, base + layout.routesAt / 8)
    for (const gauge of [workerCounter.alive, workerCounter.connections, workerCounter.openTunnels, workerCounter.waiting])
      this.#counters[base + gauge] = 0
  }
}
