/** The few quantiles that `weir status` shows. */
import { abi } from '../../native/abi.ts'
import type { WindowName } from '../../shared/statistics/live.ts'
import type { Keeper, WatchedRow } from './keeper.ts'
import { quantilesOf } from './quantiles.ts'
import { BUCKETS } from './series-history.ts'

const { phase } = abi

/** In whole microseconds. */
export interface ServerLatency {
  p50: number
  p99: number
  overheadP99: number
}

/** Of servers that gave a response in that time, by `upstream/server`, and of all of them together; null where none did. */
export function serverLatencies(keeper: Keeper, rows: readonly WatchedRow[], window: WindowName) {
  const [total, overhead] = [new Float64Array(BUCKETS), new Float64Array(BUCKETS)]
  const [own, ownOverhead] = [new Float64Array(BUCKETS), new Float64Array(BUCKETS)]
  const servers = new Map<string, ServerLatency>()
  for (const { of, row, id } of rows) {
    if (of !== 'server') continue
    own.fill(0)
    ownOverhead.fill(0)
    if (!keeper.addCounts(of, row, phase.total, window, own)) continue
    keeper.addCounts(of, row, phase.overhead, window, ownOverhead)
    const latency = latencyOf(own, ownOverhead)
    if (latency === null) continue
    servers.set(id, latency)
    for (let i = 0; i < BUCKETS; i++) {
      total[i] = (total[i] as number) + (own[i] as number)
      overhead[i] = (overhead[i] as number) + (ownOverhead[i] as number)
    }
  }
  return { all: latencyOf(total, overhead), servers }
}

function latencyOf(total: Float64Array, overhead: Float64Array): ServerLatency | null {
  const quantiles = quantilesOf(total)
  return quantiles === null ? null : { p50: quantiles.p50, p99: quantiles.p99, overheadP99: quantilesOf(overhead)?.p99 ?? 0 }
}
