import { abi } from '../../native/abi.ts'
import { mostDetailed } from '../../shared/metrics.ts'
import { classicFrom } from './classic-buckets.ts'
import type { Writing } from './exposition.ts'
import { noRoute } from './facts.ts'
import { BUCKETS } from './series-history.ts'

const { phase, routeCounter } = abi

const classes = [
  ['none', routeCounter.noStatus],
  ['1xx', routeCounter.status1xx],
  ['2xx', routeCounter.status2xx],
  ['3xx', routeCounter.status3xx],
  ['4xx', routeCounter.status4xx],
  ['5xx', routeCounter.status5xx],
] as const

const counters = [
  ['weir_requests_active', routeCounter.active],
  ['weir_request_bytes_total', routeCounter.bytesIn],
  ['weir_response_bytes_total', routeCounter.bytesOut],
  ['weir_retries_total', routeCounter.retries],
  ['weir_hedges_total', routeCounter.hedges],
] as const

const histograms = [
  ['weir_request_duration_seconds', phase.total],
  ['weir_proxy_overhead_seconds', phase.overhead],
  ['weir_request_first_byte_seconds', phase.firstByte],
  ['weir_request_queue_wait_seconds', phase.queue],
] as const

/** What clients got, by route. */
export function writeRoutes({ facts, board, keeper, writer }: Writing): void {
  writer.begin('weir_requests_total')
  for (const { row, listener, name } of facts.routes) {
    for (const [word, counter] of classes) writer.sample([listener, name, word], board.route(row, counter))
  }
  for (const [metric, counter] of counters) {
    writer.begin(metric)
    for (const { row, listener, name } of facts.routes) writer.sample([listener, name], Math.max(0, board.route(row, counter)))
  }
  const detailed = facts.routes.filter(({ name }) => name !== noRoute).slice(0, mostDetailed.routes)
  const counts = new Float64Array(BUCKETS)
  for (const [metric, number] of histograms) {
    writer.begin(metric)
    for (const { row, listener, name } of detailed) {
      const series = keeper.series('route', row, number)
      const all = number === phase.queue ? (keeper.series('route', row, phase.total)?.count ?? 0) : 0
      counts.fill(0)
      series?.addTotal(counts)
      writer.histogram([listener, name], classicFrom(counts, series?.sumUs ?? 0, Math.max(0, all - (series?.count ?? 0))))
    }
  }
}
