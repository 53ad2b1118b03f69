import { abi } from '../../native/abi.ts'
import { type MetricName, mostDetailed } from '../../shared/metrics.ts'
import { classicFrom } from './classic-buckets.ts'
import type { Writing } from './exposition.ts'
import type { ServerFacts } from './facts.ts'
import { BUCKETS } from './series-history.ts'

const { phase, serverCounter } = abi

const classes = [
  ['1xx', serverCounter.status1xx],
  ['2xx', serverCounter.status2xx],
  ['3xx', serverCounter.status3xx],
  ['4xx', serverCounter.status4xx],
  ['5xx', serverCounter.status5xx],
] as const

const counters = [
  ['weir_server_tunnels', serverCounter.openTunnels],
  ['weir_server_connections_idle', serverCounter.idle],
  ['weir_server_requests_total', serverCounter.exchanges],
  ['weir_server_failures_total', serverCounter.failures],
  ['weir_server_failed_statuses_total', serverCounter.failedStatuses],
  ['weir_server_retried_away_total', serverCounter.retriedAway],
  ['weir_server_connections_opened_total', serverCounter.connects],
  ['weir_server_connection_reuses_total', serverCounter.reused],
  ['weir_server_connections_stale_total', serverCounter.stale],
  ['weir_server_sent_bytes_total', serverCounter.bytesSent],
  ['weir_server_received_bytes_total', serverCounter.bytesReceived],
] as const

const histograms = [
  ['weir_server_connect_seconds', phase.connect],
  ['weir_server_first_byte_seconds', phase.firstByte],
  ['weir_server_response_seconds', phase.total],
] as const

interface Named {
  labels: [string, string]
  server: ServerFacts
}

export function writeServers(writing: Writing): void {
  const servers = writing.facts.upstreams.flatMap(({ name, servers }) =>
    servers.map((server): Named => ({ labels: [name, server.name], server })),
  )
  writeStates(writing, servers)
  writeCounters(writing, servers)
  writeHistograms(writing, servers.slice(0, mostDetailed.servers))
  writeChecks(writing, servers)
}

function writeStates({ board, writer }: Writing, servers: readonly Named[]): void {
  const each = (name: MetricName, value: (server: ServerFacts) => number) => {
    writer.begin(name)
    for (const { labels, server } of servers) writer.sample(labels, value(server))
  }
  each('weir_server_up', ({ takesTraffic }) => (takesTraffic ? 1 : 0))
  writer.begin('weir_server_state')
  for (const { labels, server } of servers) writer.sample([...labels, server.state], 1)
  each('weir_server_weight', ({ weight }) => weight)
  each('weir_server_inflight', ({ slot }) => board.inFlight(slot))
}

function writeCounters({ board, writer }: Writing, servers: readonly Named[]): void {
  for (const [metric, counter] of counters) {
    writer.begin(metric)
    for (const { labels, server } of servers) writer.sample(labels, board.server(server.slot, counter))
  }
  writer.begin('weir_server_responses_total')
  for (const { labels, server } of servers) {
    for (const [word, counter] of classes) writer.sample([...labels, word], board.server(server.slot, counter))
  }
}

function writeHistograms({ keeper, writer }: Writing, servers: readonly Named[]): void {
  const counts = new Float64Array(BUCKETS)
  for (const [metric, number] of histograms) {
    writer.begin(metric)
    for (const { labels, server } of servers) {
      const series = keeper.series('server', server.slot, number)
      counts.fill(0)
      series?.addTotal(counts)
      writer.histogram(labels, classicFrom(counts, series?.sumUs ?? 0))
    }
  }
}

function writeChecks({ board, writer }: Writing, servers: readonly Named[]): void {
  const checked = servers.filter(({ server }) => server.passedChecks + server.failedChecks > 0)
  writer.begin('weir_healthcheck_total')
  for (const { labels, server } of checked) {
    writer.sample([...labels, 'passed'], server.passedChecks)
    writer.sample([...labels, 'failed'], server.failedChecks)
  }
  writer.begin('weir_healthcheck_duration_seconds')
  for (const { labels, server } of checked) {
    writer.sample(labels, server.checkSeconds, '_sum')
    writer.sample(labels, server.passedChecks + server.failedChecks, '_count')
  }
  writer.begin('weir_ejections_total')
  for (const { labels, server } of servers) writer.sample(labels, server.ejections)
  writer.begin('weir_drain_remaining')
  for (const { labels, server } of servers) if (server.admin !== 'ready') writer.sample(labels, board.inFlight(server.slot))
}
