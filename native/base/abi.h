// Generated from src/native/abi.ts by scripts/generate-abi.ts. Do not edit.
#pragma once

namespace weir::abi {

constexpr int version = 5;

namespace verdict {
constexpr int forward = 0;
constexpr int answer = 1;
constexpr int wait = 2;
constexpr int abort = 3;
constexpr int pass = 4;
}  // namespace verdict

namespace lent {
constexpr int index = 0;
constexpr int generation = 1;
constexpr int listener = 2;
constexpr int method = 3;
constexpr int host = 4;
constexpr int flags = 5;
constexpr int reason = 6;
constexpr int failed_server = 7;
constexpr int attempts = 8;
constexpr int server = 9;
constexpr int plan = 10;
constexpr int fresh_connection = 11;
constexpr int detail = 12;
constexpr int now_ms = 13;
constexpr int local_port = 14;
constexpr int public_port = 15;
constexpr int age_ms = 16;
constexpr int route = 17;
constexpr int termination = 18;
constexpr int count = 24;
}  // namespace lent

namespace head_flag {
constexpr int has_query = 1;
constexpr int path_needs_normalizing = 2;
constexpr int trusted_peer = 4;
constexpr int has_body = 8;
constexpr int upgrade = 16;
constexpr int http10 = 32;
constexpr int unsent_is_certain = 64;
constexpr int reused_connection = 128;
constexpr int idempotent = 256;
constexpr int replayable = 512;
constexpr int unix_peer = 1024;
constexpr int tls = 2048;
}  // namespace head_flag

namespace failure {
constexpr int connect = 0;
constexpr int connect_timeout = 1;
constexpr int reset = 2;
constexpr int closed = 3;
constexpr int first_byte_timeout = 4;
constexpr int invalid_response = 5;
constexpr int busy = 6;
constexpr int head_too_large = 7;
constexpr int status = 8;
constexpr int tls = 9;
}  // namespace failure

namespace refusal {
constexpr int untrusted_proxy = 0;
constexpr int proxy_header = 1;
constexpr int client_hello = 2;
constexpr int too_slow = 3;
constexpr int address_limit = 4;
constexpr int no_route = 5;
constexpr int no_server = 6;
constexpr int by_function = 7;
constexpr int tls_handshake = 8;
constexpr int unknown_name = 9;
constexpr int count = 10;
}  // namespace refusal

namespace send_proxy {
constexpr int off = 0;
constexpr int v1 = 1;
constexpr int v2 = 2;
}  // namespace send_proxy

namespace protocol {
constexpr int http = 0;
constexpr int tcp = 1;
constexpr int tls = 2;
}  // namespace protocol

namespace client_auth {
constexpr int off = 0;
constexpr int optional = 1;
constexpr int required = 2;
}  // namespace client_auth

namespace placeholder {
constexpr int literal = 0;
constexpr int client_ip = 1;
constexpr int client_port = 2;
constexpr int host = 3;
constexpr int method = 4;
constexpr int path = 5;
constexpr int scheme = 6;
constexpr int request_id = 7;
constexpr int server = 8;
constexpr int upstream = 9;
constexpr int listener_port = 10;
constexpr int query = 11;
}  // namespace placeholder

namespace forwarded {
constexpr int for_ = 1;
constexpr int proto = 2;
constexpr int host = 4;
constexpr int port = 8;
constexpr int forwarded = 16;
constexpr int real_ip = 32;
constexpr int request_id = 64;
}  // namespace forwarded

namespace board {
constexpr int header_bytes = 4096;
constexpr int servers = 8192;
constexpr int listeners = 64;
constexpr int workers = 128;
constexpr int total_stride = 64;
constexpr int listener_stride = 128;
constexpr int server_stride = 256;
constexpr int routes = 1024;
constexpr int route_stride = 128;
constexpr int worker_bytes = 512;
constexpr int addresses = 65536;
constexpr int series_bytes = 64;
constexpr int histogram_blocks = 24576;
constexpr int ring_bytes = 4194304;
constexpr int tls_sessions = 8192;
constexpr int tls_session_bytes = 512;
}  // namespace board

namespace phase {
constexpr int queue = 0;
constexpr int connect = 1;
constexpr int first_byte = 2;
constexpr int total = 3;
constexpr int overhead = 4;
constexpr int count = 5;
}  // namespace phase

namespace termination {
constexpr int ok = 0;
constexpr int client_abort = 1;
constexpr int client_header_timeout = 2;
constexpr int client_body_timeout = 3;
constexpr int bad_request = 4;
constexpr int header_too_large = 5;
constexpr int body_too_large = 6;
constexpr int no_route = 7;
constexpr int policy_denied = 8;
constexpr int rate_limited = 9;
constexpr int no_server = 10;
constexpr int hold_timeout = 11;
constexpr int queue_full = 12;
constexpr int queue_timeout = 13;
constexpr int connect_refused = 14;
constexpr int connect_timeout = 15;
constexpr int tls_failed = 16;
constexpr int first_byte_timeout = 17;
constexpr int idle_timeout = 18;
constexpr int total_timeout = 19;
constexpr int upstream_reset = 20;
constexpr int upstream_bad_response = 21;
constexpr int stale_connection = 22;
constexpr int retry_budget = 23;
constexpr int breaker_open = 24;
constexpr int drain_deadline = 25;
constexpr int shutdown = 26;
constexpr int function_failed = 27;
constexpr int count = 28;
}  // namespace termination

namespace record_kind {
constexpr int filler = 0;
constexpr int exchange = 1;
constexpr int tunnel = 2;
}  // namespace record_kind

namespace record_flag {
constexpr int reused_connection = 1;
constexpr int http10 = 2;
constexpr int hedged = 4;
constexpr int unix_peer = 8;
constexpr int waited = 16;
constexpr int truncated = 32;
constexpr int tls = 64;
constexpr int upgraded = 128;
constexpr int answered = 256;
}  // namespace record_flag

namespace record_field {
constexpr int time = 0;
constexpr int kind = 1;
constexpr int worker = 2;
constexpr int request_id = 3;
constexpr int client = 4;
constexpr int peer = 5;
constexpr int listener = 6;
constexpr int method = 7;
constexpr int host = 8;
constexpr int path = 9;
constexpr int query = 10;
constexpr int protocol = 11;
constexpr int status = 12;
constexpr int termination = 13;
constexpr int route = 14;
constexpr int upstream = 15;
constexpr int server = 16;
constexpr int attempts = 17;
constexpr int failed_attempts = 18;
constexpr int is_reused = 19;
constexpr int is_hedged = 20;
constexpr int bytes_in = 21;
constexpr int bytes_out = 22;
constexpr int queue_us = 23;
constexpr int connect_us = 24;
constexpr int first_byte_us = 25;
constexpr int total_us = 26;
constexpr int overhead_us = 27;
constexpr int referer = 28;
constexpr int user_agent = 29;
constexpr int traceparent = 30;
constexpr int headers = 31;
constexpr int count = 32;
}  // namespace record_field

namespace worker_counter {
constexpr int alive = 0;
constexpr int connections = 1;
constexpr int accepted = 2;
constexpr int exchanges = 3;
constexpr int refused_heads = 4;
constexpr int answered = 5;
constexpr int tunnels = 6;
constexpr int bytes_from_clients = 7;
constexpr int bytes_to_clients = 8;
constexpr int copied_bytes = 9;
constexpr int spliced_bytes = 10;
constexpr int accept_pauses = 11;
constexpr int client_aborts = 12;
constexpr int broken_responses = 13;
constexpr int decisions = 14;
constexpr int timeouts = 15;
constexpr int batches = 16;
constexpr int events = 17;
constexpr int open_tunnels = 18;
constexpr int waiting = 19;
constexpr int histogram_blocks = 20;
constexpr int histogram_dropped = 21;
constexpr int lost = 22;
constexpr int terminations = 24;
constexpr int count = 56;
}  // namespace worker_counter

namespace route_counter {
constexpr int no_status = 0;
constexpr int status1xx = 1;
constexpr int status2xx = 2;
constexpr int status3xx = 3;
constexpr int status4xx = 4;
constexpr int status5xx = 5;
constexpr int active = 6;
constexpr int bytes_in = 7;
constexpr int bytes_out = 8;
constexpr int retries = 9;
constexpr int hedges = 10;
constexpr int count = 11;
}  // namespace route_counter

namespace server_counter {
constexpr int in_flight = 0;
constexpr int exchanges = 1;
constexpr int connects = 2;
constexpr int reused = 3;
constexpr int failures = 4;
constexpr int retried_away = 5;
constexpr int stale = 6;
constexpr int idle = 7;
constexpr int learned_idle_ms = 8;
constexpr int bytes_sent = 9;
constexpr int bytes_received = 10;
constexpr int successes = 11;
constexpr int failed_statuses = 12;
constexpr int failure_run = 13;
constexpr int first_byte_us = 14;
constexpr int ewma_us = 15;
constexpr int waiting = 16;
constexpr int longest_hold_ms = 17;
constexpr int status1xx = 18;
constexpr int status2xx = 19;
constexpr int status3xx = 20;
constexpr int status4xx = 21;
constexpr int status5xx = 22;
constexpr int open_tunnels = 23;
constexpr int count = 24;
}  // namespace server_counter

namespace listener_counter {
constexpr int connections = 0;
constexpr int accepted = 1;
constexpr int refused_untrusted_proxy = 2;
constexpr int refused_proxy_header = 3;
constexpr int refused_client_hello = 4;
constexpr int refused_too_slow = 5;
constexpr int refused_address_limit = 6;
constexpr int refused_no_route = 7;
constexpr int refused_no_server = 8;
constexpr int refused_by_function = 9;
constexpr int refused_tls_handshake = 10;
constexpr int refused_unknown_name = 11;
constexpr int tls_handshakes = 12;
constexpr int tls_resumed = 13;
constexpr int count = 14;
}  // namespace listener_counter

}  // namespace weir::abi
