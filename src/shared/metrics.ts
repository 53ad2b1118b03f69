/**
 * THE CATALOGUE of metrics: every name that `GET /metrics` may answer, with its type, unit, labels and help. Writers take names from
 * here, and docs/reference/metrics.md is printed from it. Labels are bounded by the configuration: never an address of a client, a
 * path, or anything else that somebody sends.
 */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'info'
export type MetricUnit = 'seconds' | 'bytes' | 'ratio' | 'none'
export type MetricLabel =
  | 'listener'
  | 'route'
  | 'upstream'
  | 'server'
  | 'code_class'
  | 'reason'
  | 'worker'
  | 'state'
  | 'version'
  | 'name'
  | 'node_version'

export interface MetricRow {
  type: MetricType
  unit: MetricUnit
  labels: readonly MetricLabel[]
  /** One sentence for people, without line breaks. */
  help: string
}

const counter = (labels: MetricLabel[], help: string, unit: MetricUnit = 'none'): MetricRow => ({ type: 'counter', unit, labels, help })
const gauge = (labels: MetricLabel[], help: string, unit: MetricUnit = 'none'): MetricRow => ({ type: 'gauge', unit, labels, help })
const seconds = (labels: MetricLabel[], help: string): MetricRow => ({ type: 'histogram', unit: 'seconds', labels, help })

const route: MetricLabel[] = ['listener', 'route']
const server: MetricLabel[] = ['upstream', 'server']

export const metrics = {
  weir_build_info: { type: 'info', unit: 'none', labels: ['version', 'node_version'], help: 'The program that runs; always 1.' },
  weir_start_time_seconds: gauge([], 'When the primary process started, in seconds since 1970.', 'seconds'),
  weir_config_generation: gauge([], 'Grows with every change of what is in force: reloads, commands, servers that names bring.'),
  weir_config_last_reload_success: gauge([], 'Whether the last reload was applied; 1 before the first.'),
  weir_config_last_reload_timestamp_seconds: gauge([], 'When that was, in seconds since 1970.', 'seconds'),
  weir_config_reloads_total: counter(['reason'], 'Reloads since the start: applied or refused.'),
  weir_gossip_changes_total: counter([], 'Changes of servers that every worker has applied.'),
  weir_gossip_lag_seconds: gauge([], 'From the last change of a server to the last worker that applied it.', 'seconds'),
  weir_gossip_lag_max_seconds: gauge([], 'The longest such time since the start.', 'seconds'),

  weir_worker_up: gauge(['worker'], 'Whether the worker serves and answers the primary.'),
  weir_worker_restarts_total: counter(['worker'], 'How often the worker was replaced because it had ended.'),
  weir_worker_connections: gauge(['worker'], 'Client connections that are open.'),
  weir_worker_tunnels: gauge(['worker'], 'Tunnels that are open.'),
  weir_worker_waiting: gauge(['worker'], 'Requests and connections that wait for a server.'),
  weir_worker_accepted_total: counter(['worker'], 'Client connections that were accepted.'),
  weir_worker_exchanges_total: counter(['worker'], 'Requests that began.'),
  weir_worker_tunnels_opened_total: counter(['worker'], 'Tunnels that began.'),
  weir_worker_refused_heads_total: counter(['worker'], 'Requests that broke a rule of HTTP or a limit.'),
  weir_worker_answered_total: counter(['worker'], 'Requests that weir answered itself.'),
  weir_worker_accept_pauses_total: counter(
    ['worker'],
    'How often the worker stopped to accept for a moment because it ran out of descriptors.',
  ),
  weir_client_received_bytes_total: counter(['worker'], 'Bytes from clients.', 'bytes'),
  weir_client_sent_bytes_total: counter(['worker'], 'Bytes to clients.', 'bytes'),
  weir_copied_bytes_total: counter(['worker'], 'Bytes that went through user memory.', 'bytes'),
  weir_splice_bytes_total: counter(['worker'], 'Bytes that the kernel moved without a copy in user memory.', 'bytes'),
  weir_termination_total: counter(['reason'], 'Requests, connections and tunnels that ended, by how they ended.'),

  weir_listener_connections_active: gauge(['listener'], 'Client connections of the listener that are open.'),
  weir_listener_connections_total: counter(['listener'], 'Client connections that the listener accepted.'),
  weir_listener_rejected_total: counter(
    ['listener', 'reason'],
    'Client connections that were closed before anything was forwarded, by the reason.',
  ),
  weir_tls_handshakes_total: counter(['listener'], 'TLS handshakes that were completed.'),
  weir_tls_resumed_total: counter(['listener'], 'TLS handshakes among them that resumed a session.'),
  weir_tls_certificate_expiry_timestamp_seconds: gauge(
    ['listener', 'name'],
    'When the certificate for a name ends, in seconds since 1970; of several the one that ends first.',
    'seconds',
  ),

  weir_requests_total: counter(
    [...route, 'code_class'],
    'Requests that ended, by the class of the status that the client got; none where it got none. The route none is what reached no route.',
  ),
  weir_requests_active: gauge(route, 'Requests that are being served.'),
  weir_request_bytes_total: counter(route, 'Bytes of requests from clients.', 'bytes'),
  weir_response_bytes_total: counter(route, 'Bytes of responses to clients.', 'bytes'),
  weir_retries_total: counter(route, 'Attempts after the first.'),
  weir_hedges_total: counter(route, 'Second servers that were asked because the first one was slow.'),
  weir_request_duration_seconds: seconds(
    route,
    'From the first bytes of a request to the last byte of its response, of requests that a server answered.',
  ),
  weir_proxy_overhead_seconds: seconds(
    route,
    'What weir itself added to a request: from bytes being readable to their being passed on, both ways, without waits.',
  ),
  weir_request_first_byte_seconds: seconds(route, 'From a request handed over to a server to the first byte of its response.'),
  weir_request_queue_wait_seconds: seconds(route, 'How long a request waited for a server; 0 for one that did not wait.'),

  weir_upstream_servers: gauge(['upstream'], 'Servers of the upstream.'),
  weir_upstream_servers_usable: gauge(['upstream'], 'Servers of the upstream that get new requests.'),
  weir_upstream_queue_length: gauge(['upstream'], 'Requests and connections that wait because every server is full.'),
  weir_upstream_held_requests: gauge(['upstream'], 'Requests and connections that are held because no server is usable.'),
  weir_upstream_queue_wait_seconds: seconds(
    ['upstream'],
    'How long a response of the upstream had waited for its server; 0 without a wait.',
  ),
  weir_upstream_panic: gauge(['upstream'], 'Whether ejected servers serve because no other is left.'),
  weir_breaker_state: gauge(['upstream'], 'Share of requests that the circuit breaker holds back: 0 closed, 1 open.', 'ratio'),

  weir_server_up: gauge(server, 'Whether the server gets new requests.'),
  weir_server_state: gauge([...server, 'state'], 'The state of the server as weir status says it: 1 for the one that it is in.'),
  weir_server_weight: gauge(server, 'The weight in force, with what commands and agents made of it.'),
  weir_server_inflight: gauge(server, 'Requests and tunnels on the server.'),
  weir_server_tunnels: gauge(server, 'Tunnels among them.'),
  weir_server_connections_idle: gauge(server, 'Pooled connections to the server.'),
  weir_server_requests_total: counter(server, 'Requests and tunnels that the server got.'),
  weir_server_responses_total: counter(
    [...server, 'code_class'],
    'Responses of the server by the class of their status, tried again or not.',
  ),
  weir_server_failures_total: counter(server, 'Attempts that failed: refused, reset, timed out, or answered with what is no HTTP.'),
  weir_server_failed_statuses_total: counter(server, 'Responses whose status passive health counts as a failure.'),
  weir_server_retried_away_total: counter(server, 'Attempts of this server after which another one was tried.'),
  weir_server_connections_opened_total: counter(server, 'Connections that were opened to the server.'),
  weir_server_connection_reuses_total: counter(server, 'Requests that went over a pooled connection.'),
  weir_server_connections_stale_total: counter(server, 'Pooled connections that the server had closed when they were used.'),
  weir_server_sent_bytes_total: counter(server, 'Bytes to the server.', 'bytes'),
  weir_server_received_bytes_total: counter(server, 'Bytes from the server.', 'bytes'),
  weir_server_connect_seconds: seconds(server, 'How long a new connection to the server took.'),
  weir_server_first_byte_seconds: seconds(server, 'From a request handed over to the first byte of its response.'),
  weir_server_response_seconds: seconds(
    server,
    'From the first bytes of a request to the last byte of its response, of responses of this server.',
  ),
  weir_healthcheck_total: counter([...server, 'reason'], 'Active health checks that passed or failed.'),
  weir_healthcheck_duration_seconds: {
    type: 'summary',
    unit: 'seconds',
    labels: server,
    help: 'How long active health checks took.',
  },
  weir_ejections_total: counter(server, 'How often passive health has taken the server out.'),
  weir_drain_remaining: gauge(server, 'Requests and tunnels that are left on a server that is drained.'),

  weir_log_records_lost_total: counter([], 'Records that the access log did not write because it could not keep up.'),
  weir_metrics_memory_bytes: gauge([], 'Memory of counters, histograms and what is kept of them.', 'bytes'),
  weir_metrics_dropped_values_total: counter([], 'Times that no histogram had room for.'),
  weir_metrics_series: gauge([], 'Series in this answer, without this one and those after it.'),
  weir_metrics_omitted_series: gauge([], 'Histograms of servers and routes that this answer leaves out because there are too many.'),
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metrics

/** Upper bounds of the classic buckets of every histogram, in microseconds; beyond the last there is `+Inf`. */
export const classicBoundsUs: readonly number[] = [
  50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
  30_000_000, 60_000_000,
]

/** Servers and routes that have histograms; those beyond have counters only. */
export const mostDetailed = { servers: 2_000, routes: 960 }
