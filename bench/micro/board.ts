// What do the counters and histograms on the board cost TypeScript? The engine's own updates are among the native steps.
import { abi } from '../../src/native/abi.ts'
import { addon } from '../../src/native/addon.ts'
import { Board } from '../../src/primary/board.ts'
import { BoardView } from '../../src/primary/statistics/board-view.ts'
import { BUCKETS } from '../../src/primary/statistics/series-history.ts'
import { blockAtByte, histogram, seriesAtByte, serverIndex, waitingIndex } from '../../src/shared/board/layout.ts'
import type { Step } from './step.ts'

const workers = 4
const servers = 64
/** Blocks of one histogram that have counts: answers between a quarter of a millisecond and 16 of them. */
const blocks = 6

/** What a worker writes of who waits, and what the primary reads of servers and their latencies. */
export function boardSteps(): Step[] {
  return [
    { title: 'a worker counts one more and one less who waits', prepare: prepareWaiting },
    { title: `in flight of one server`, prepare: prepareInFlight },
    { title: `outcomes of one server, ${workers} workers`, prepare: prepareOutcomes },
    { title: `a histogram of one server, ${workers} workers`, prepare: prepareHistogram },
  ]
}

function prepareWaiting(): (times: number) => void {
  const memory = newMemory()
  const [totals, counters] = [new Int32Array(memory), new Float64Array(memory, 0, Math.floor(memory.byteLength / 8))]
  return (times) => {
    for (let i = 0; i < times; i++) {
      const slot = i % servers
      const own = serverIndex(0, slot, abi.serverCounter.waiting)
      Atomics.add(totals, waitingIndex(slot), 1)
      counters[own] = (counters[own] as number) + 1
      Atomics.sub(totals, waitingIndex(slot), 1)
      counters[own] = (counters[own] as number) - 1
    }
  }
}

function prepareInFlight(): (times: number) => void {
  const board = new Board(addon(), workers)
  return (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += board.inFlight(i % servers)
    if (sum !== 0) throw new Error('somebody else is on the board')
  }
}

function prepareOutcomes(): (times: number) => void {
  const board = new Board(addon(), workers)
  return (times) => {
    for (let i = 0; i < times; i++)
      if (board.outcomes('app/a', i % servers).exchanges !== 0) throw new Error('somebody else is on the board')
  }
}

function prepareHistogram(): (times: number) => void {
  const memory = newMemory()
  for (let column = 0; column < workers; column++) fillHistogram(memory, column)
  const view = new BoardView(memory, workers)
  const reading = { counts: new Uint32Array(BUCKETS), blocks: 0, count: 0, sumUs: 0 }
  return (times) => {
    reading.count = 0
    for (let i = 0; i < times; i++) view.read('server', 0, abi.phase.total, reading)
    if (reading.count !== times * workers * blocks * histogram.blockCounts) throw new Error('counts are missing')
  }
}

/** As native/stats/histogram_map.h leaves it: one count in each bucket of its blocks. */
function fillHistogram(memory: ArrayBuffer, column: number): void {
  const at = seriesAtByte(column, 'server', 0, abi.phase.total)
  const bytes = new DataView(memory)
  bytes.setBigUint64(at + histogram.countAt, BigInt(blocks * histogram.blockCounts), true)
  for (let i = 0; i < blocks; i++) {
    bytes.setUint16(at + histogram.numbersAt + 2 * (i + 2), i + 1, true)
    new Uint32Array(memory, blockAtByte(column, i + 1), histogram.blockCounts).fill(1)
  }
}

function newMemory(): ArrayBuffer {
  const native = addon()
  return native.mapBoard(native.createBoard(workers), workers)
}
