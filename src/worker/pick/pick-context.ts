import type { Excluded } from './eligible.ts'
import { NOTHING_EXCLUDED } from './eligible.ts'
import type { BoardView, LatencyView } from './picker.ts'

/** Nothing was measured: `least-time` is then as good as `least-connections`. */
export const NO_LATENCIES: LatencyView = { read: () => 0 }

/** What a pick looks at. One object per worker, filled anew before each pick, so that a pick allocates nothing. */
export class PickContext {
  board: BoardView
  latencies: LatencyView
  /** Milliseconds, on the clock that `distrust` was told. */
  now = 0
  /** At least 0, below 1. */
  random: () => number
  /** Slots that earlier attempts went to. */
  excluded: Excluded = NOTHING_EXCLUDED
  /** What a consistent hash hashes; '' when the request has no key, and then the server is drawn by weight. */
  key = ''
  /** Address of the client as text; '' for a unix socket. */
  clientIp = ''

  constructor(board: BoardView, latencies: LatencyView, random: () => number) {
    this.board = board
    this.latencies = latencies
    this.random = random
  }
}
