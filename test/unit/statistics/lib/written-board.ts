/** A board of one test's own, written as the engine writes it: native/stats/histogram_map.h. */
import { abi } from '../../../../src/native/abi.ts'
import { upperBoundUs } from '../../../../src/primary/control/latency-buckets.ts'
import { BoardView } from '../../../../src/primary/statistics/board-view.ts'
import type { RowKind } from '../../../../src/primary/statistics/keeper.ts'
import { layout, routeIndex, seriesAtByte, serverIndex, waitingIndex, workerIndex } from '../../../../src/shared/board/layout.ts'

const COUNTS = 128

export class WrittenBoard {
  readonly view: BoardView
  readonly #memory: ArrayBuffer
  readonly #counters: Float64Array
  readonly #next: number[]

  constructor(columns: number) {
    this.#memory = new ArrayBuffer(layout.columnsAt + columns * layout.columnBytes)
    this.#counters = new Float64Array(this.#memory)
    this.#next = new Array(columns).fill(1)
    this.view = new BoardView(this.#memory, columns)
  }

  record(column: number, of: RowKind, row: number, phase: number, us: number, times = 1): void {
    const at = seriesAtByte(column, of, row, phase)
    const words = new DataView(this.#memory)
    const bucket = bucketOf(us)
    const counts = new Uint32Array(this.#memory, this.#blockAt(column, at, Math.floor(bucket / COUNTS)), COUNTS)
    counts[bucket % COUNTS] = (counts[bucket % COUNTS] as number) + times
    addLong(words, at, times)
    addLong(words, at + 8, us * times)
  }

  /** As the primary does when a row gets another occupant. */
  clear(of: RowKind, row: number): void {
    for (const column of this.#next.keys()) {
      for (let phase = 0; phase < abi.phase.count; phase++) {
        const at = seriesAtByte(column, of, row, phase)
        new BigUint64Array(this.#memory, at, 2).fill(0n)
        for (const block of new Uint16Array(this.#memory, at + 16, 21))
          if (block !== 0)
            new Uint32Array(this.#memory, layout.columnsAt + column * layout.columnBytes + layout.blocksAt + block * 512, COUNTS).fill(0)
      }
      const first = of === 'server' ? serverIndex(column, row, 0) : routeIndex(column, row, 0)
      this.#counters.fill(0, first, first + (of === 'server' ? abi.serverCounter.count : abi.routeCounter.count))
    }
  }

  server(column: number, slot: number, counter: number, value: number): void {
    this.#counters[serverIndex(column, slot, counter)] = value
  }
  route(column: number, row: number, counter: number, value: number): void {
    this.#counters[routeIndex(column, row, counter)] = value
  }
  /** Who waits in the queue that a server's row stands for. */
  waiting(slot: number, count: number): void {
    new Int32Array(this.#memory)[waitingIndex(slot)] = count
  }
  worker(column: number, counter: number, value: number): void {
    this.#counters[workerIndex(column, counter)] = value
  }

  #blockAt(column: number, head: number, position: number): number {
    const blocks = new Uint16Array(this.#memory, head + 16, 21)
    if (blocks[position] === 0) {
      blocks[position] = this.#next[column] as number
      this.#next[column] = (this.#next[column] as number) + 1
    }
    return layout.columnsAt + column * layout.columnBytes + layout.blocksAt + (blocks[position] as number) * 512
  }
}

function addLong(words: DataView, at: number, more: number): void {
  const sum = words.getUint32(at + 4, true) * 2 ** 32 + words.getUint32(at, true) + more
  words.setUint32(at, sum % 2 ** 32, true)
  words.setUint32(at + 4, Math.floor(sum / 2 ** 32), true)
}

/** Of native/stats/histogram.h: exact to 255 µs, then 128 buckets to each power of two. */
export function bucketOf(us: number): number {
  const shift = Math.max(0, 32 - Math.clz32(us) - 8)
  return shift * COUNTS + (us >>> shift)
}

/** The bound that a value is told by. */
export function boundOf(us: number): number {
  return upperBoundUs(bucketOf(us))
}
