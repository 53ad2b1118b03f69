// How many nanoseconds of CPU does a pick take with 2, 10, 64 and 1,000 servers?
import type { BoardView, PolicyName } from '../../src/worker/pick/picker.ts'
import { policies } from '../../src/worker/pick/policies.ts'
import { UpstreamPicker } from '../../src/worker/pick/upstream-picker.ts'

const PICKS = 500_000
const ROUNDS = 3
/** A cache line per server. */
const STRIDE = 16
const NOBODY: number[] = []

for (const balance of Object.keys(policies) as PolicyName[]) {
  for (const weights of ['equal', 'mixed'] as const) {
    for (const size of [2, 10, 64, 1000]) {
      console.log(`${balance}, ${size} servers, ${weights} weights: ${measure(balance, weights, size).toFixed(1)} ns per pick`)
    }
  }
}

/** Twice as many exchanges are open as there are servers, and the oldest ends when one begins. */
function measure(balance: PolicyName, weights: 'equal' | 'mixed', size: number): number {
  const servers = Array.from({ length: size }, (_, slot) => {
    return { slot, weight: weights === 'equal' ? 1 : 1 + (slot % 5), maxConnections: 1000, backup: false }
  })
  const picker = new UpstreamPicker(balance, servers)
  const board: BoardView = { inFlight: new Int32Array(size * STRIDE), stride: STRIDE, offset: 1 }
  const open = new Int32Array(size * 2).fill(-1)
  const times = Array.from({ length: ROUNDS }, () => {
    const started = process.cpuUsage()
    for (let i = 0, at = 0; i < PICKS; i++, at = at + 1 === open.length ? 0 : at + 1) {
      const ended = open[at] as number
      if (ended >= 0) count(board, ended, -1)
      const slot = picker.pick(board, i, 0, NOBODY)
      count(board, slot, 1)
      open[at] = slot
    }
    return (process.cpuUsage(started).user * 1000) / PICKS
  })
  return Math.min(...times)
}

function count(board: BoardView, slot: number, change: number): void {
  const at = slot * board.stride + board.offset
  board.inFlight[at] = (board.inFlight[at] as number) + change
}
