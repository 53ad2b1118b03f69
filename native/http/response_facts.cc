#include "http/response_facts.h"

#include "base/clock.h"
#include "http/head_parts.h"
#include "http/text.h"

namespace weir {

namespace {

// Milliseconds with three decimals.
void put_duration(ByteSink& out, std::string_view name, uint64_t us) {
  out.put(name);
  out.put(";dur=");
  out.put_number(us / 1000);
  const unsigned rest = unsigned(us % 1000);
  const char decimals[4] = {'.', char('0' + rest / 100), char('0' + rest / 10 % 10), char('0' + rest % 10)};
  out.put({decimals, sizeof decimals});
}

void put_server_timing(ByteSink& out, const HeadSources& from) {
  const Observed& o = from.exchange.seen;
  out.put("Server-Timing: ");
  if (o.queue_us > 0) put_duration(out, "queue", o.queue_us), out.put(", ");
  if (o.connect_us > 0) put_duration(out, "connect", o.connect_us), out.put(", ");
  if (o.has_response) put_duration(out, "origin", o.first_byte_us), out.put(", ");
  const uint64_t now = monotonic_us();
  const uint64_t running = o.ours_since_us != 0 && now > o.ours_since_us ? now - o.ours_since_us : 0;
  put_duration(out, "weir", o.overhead_us + running);
  out.put("\r\n");
}

// The error types of RFC 9209 2.3; none for what is no error.
std::string_view error_type(uint8_t termination) {
  switch (termination) {
    case abi::termination::bad_request:
    case abi::termination::header_too_large:
    case abi::termination::body_too_large:
    case abi::termination::client_header_timeout:
    case abi::termination::client_body_timeout: return "http_request_error";
    case abi::termination::no_route: return "destination_not_found";
    case abi::termination::policy_denied:
    case abi::termination::rate_limited: return "http_request_denied";
    case abi::termination::no_server:
    case abi::termination::hold_timeout:
    case abi::termination::breaker_open:
    case abi::termination::retry_budget: return "destination_unavailable";
    case abi::termination::queue_full:
    case abi::termination::queue_timeout: return "connection_limit_reached";
    case abi::termination::connect_refused: return "connection_refused";
    case abi::termination::connect_timeout: return "connection_timeout";
    case abi::termination::tls_failed: return "tls_protocol_error";
    case abi::termination::first_byte_timeout:
    case abi::termination::total_timeout: return "http_response_timeout";
    case abi::termination::upstream_reset:
    case abi::termination::stale_connection: return "connection_terminated";
    case abi::termination::upstream_bad_response: return "http_protocol_error";
    case abi::termination::function_failed: return "proxy_internal_error";
    default: return {};
  }
}

// A String of RFC 9651 3.3.3: ASCII alone, and a server's name may hold more.
void put_string(ByteSink& out, std::string_view text) {
  out.put('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.put('\\');
    out.put(c >= ' ' && c <= '~' ? c : '?');
  }
  out.put('"');
}

void put_next_hop(ByteSink& out, const HeadSources& from) {
  if (from.exchange.attempts == 0 || !from.server) return;
  out.put("; next-hop=");
  put_string(out, from.server->name);
}

void put_request_id(ByteSink& out, const HeadSources& from) { put_header(out, "X-Request-Id", request_id(from)); }

bool has_request_id(const MessageHead& head) {
  bool found = false;
  each_value(head, HeaderId::x_request_id, [&](std::string_view) { found = true; });
  return found;
}

// A function of the configuration may have said one.
bool names_request_id(std::string_view lines) {
  for (size_t at = 0; at < lines.size();) {
    constexpr std::string_view name = "x-request-id:";
    if (equals_ignoring_case(lines.substr(at, name.size()), name)) return true;
    const size_t end = lines.find('\n', at);
    at = end == std::string_view::npos ? lines.size() : end + 1;
  }
  return false;
}

}  // namespace

void write_response_facts(ByteSink& out, const HeadSources& from) {
  const MessageHead& response = from.exchange.response;
  if (from.listener.server_timing) put_server_timing(out, from);
  if (from.listener.proxy_status) {
    out.put("Proxy-Status: weir");
    put_next_hop(out, from);
    out.put("; received-status=");
    out.put_number(response.status);
    out.put("\r\n");
  }
  if (response.status < 500 || !(from.listener.forwarded & abi::forwarded::request_id) || has_request_id(response)) return;
  // The configuration has the last word.
  if (!from.exchange.plan->response.drops(HeaderId::x_request_id, "x-request-id")) put_request_id(out, from);
}

void write_answer_facts(ByteSink& out, const HeadSources& from, const Answer& answer) {
  if (from.listener.server_timing) put_server_timing(out, from);
  const std::string_view error = error_type(from.exchange.seen.termination);
  if (from.listener.proxy_status && !error.empty()) {
    out.put("Proxy-Status: weir; error=");
    out.put(error);
    put_next_hop(out, from);
    out.put("\r\n");
  }
  if (answer.status >= 500 && !names_request_id(answer.headers)) put_request_id(out, from);
}

}  // namespace weir
