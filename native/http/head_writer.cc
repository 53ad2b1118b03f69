#include "http/head_writer.h"

#include "http/head_parts.h"
#include "http/header_names.h"
#include "http/response_facts.h"
#include "http/identity.h"
#include "http/status_text.h"
#include "http/text.h"

namespace weir {

namespace {

constexpr uint32_t bit(HeaderId id) { return 1u << unsigned(id); }

// Never copied: they belong to one hop (RFC 9110 7.6.1), or are written anew by us.
constexpr uint32_t kRewritten = bit(HeaderId::host) | bit(HeaderId::connection) | bit(HeaderId::keep_alive) | bit(HeaderId::proxy_connection) |
                                bit(HeaderId::transfer_encoding) | bit(HeaderId::content_length) | bit(HeaderId::te) |
                                bit(HeaderId::upgrade) | bit(HeaderId::http2_settings) | bit(HeaderId::proxy_authorization) |
                                bit(HeaderId::proxy_authenticate);
constexpr uint32_t kIdentity = bit(HeaderId::x_forwarded_for) | bit(HeaderId::x_forwarded_proto) | bit(HeaderId::x_forwarded_host) |
                               bit(HeaderId::x_forwarded_port) | bit(HeaderId::forwarded) | bit(HeaderId::x_real_ip) |
                               bit(HeaderId::x_request_id);
static_assert(unsigned(HeaderId::count) <= 32);

bool named_by_connection(const MessageHead& head, std::string_view name) {
  bool named = false;
  for (unsigned i = 0; i < head.header_count; ++i) {
    if (head.headers[i].id != HeaderId::connection) continue;
    each_token(head.value(head.headers[i]), [&](std::string_view token) {
      if (token.size() == name.size() && equals_ignoring_case(name, lower_case(token))) named = true;
    });
  }
  return named;
}

// Copies what `keep(header)` lets through. Neighbouring lines that already are in our own form are copied as one run of bytes.
template <typename Keep>
void copy_headers(ByteSink& out, const MessageHead& head, Keep&& keep) {
  const char* run = nullptr;
  const char* run_end = nullptr;
  auto flush = [&] {
    if (run) out.put({run, size_t(run_end - run)});
    run = nullptr;
  };
  for (unsigned i = 0; i < head.header_count; ++i) {
    const HeaderRef& h = head.headers[i];
    if (!keep(h)) {
      flush();
      continue;
    }
    const char* line = head.base + h.name_at;
    const char* value_end = head.base + h.value_at + h.value_len;
    const bool canonical = h.value_at == h.name_at + h.name_len + 2 && line[h.name_len + 1] == ' ' && *value_end == '\r';
    if (!canonical) {
      flush();
      put_header(out, head.name(h), head.value(h));
      continue;
    }
    if (run && run_end != line) flush();
    if (!run) run = line;
    run_end = value_end + 2;
  }
  flush();
}

void put_template(ByteSink& out, const std::vector<TemplatePart>& parts, const HeadSources& from) {
  const MessageHead& req = from.exchange.request;
  char ip[48];
  for (const TemplatePart& part : parts) {
    switch (part.kind) {
      case abi::placeholder::client_ip: out.put({ip, client_ip(from.exchange, from.client, from.listener).print(ip)}); break;
      case abi::placeholder::client_port: out.put_number(from.client.peer_port); break;
      case abi::placeholder::host: out.put(req.text(req.authority)); break;
      case abi::placeholder::method: out.put(req.text(req.method_text)); break;
      case abi::placeholder::path: out.put(req.text(req.path)); break;
      case abi::placeholder::query: out.put(req.text(req.query)); break;
      case abi::placeholder::scheme: out.put(from.client.scheme()); break;
      case abi::placeholder::request_id: out.put(request_id(from)); break;
      case abi::placeholder::server: if (from.server) out.put(from.server->name); break;
      case abi::placeholder::upstream: if (from.exchange.plan) out.put(from.exchange.plan->upstream); break;
      case abi::placeholder::listener_port: if (from.client.public_port() != 0) out.put_number(from.client.public_port()); break;
      default: out.put(part.text);
    }
  }
}

bool has_field(const MessageHead& head, std::string_view lower) {
  for (unsigned i = 0; i < head.header_count; ++i)
    if (equals_ignoring_case(head.name(head.headers[i]), lower)) return true;
  return false;
}

// Whether one of these lines, each with CRLF, is a field of that name.
bool has_line(std::string_view lines, std::string_view lower) {
  while (!lines.empty()) {
    const size_t colon = lines.find(':'), end = lines.find("\r\n");
    if (colon == std::string_view::npos || end == std::string_view::npos) return false;
    if (equals_ignoring_case(lines.substr(0, colon), lower)) return true;
    lines.remove_prefix(end + 2);
  }
  return false;
}

// What the listener gives to responses that say nothing of it, and whose rules say nothing of it either.
void put_defaults(ByteSink& out, const HeadSources& from, const HeaderEdits& edits) {
  const Exchange& ex = from.exchange;
  for (const DefaultHeader& d : from.listener.defaults) {
    bool is_said = has_field(ex.response, d.lower) || (ex.edits && has_line(ex.edits->response, d.lower));
    for (const HeaderEdit& e : edits.list()) is_said = is_said || e.lower == d.lower;
    if (!is_said) out.put(d.line);
  }
}

void put_edits(ByteSink& out, const HeaderEdits& edits, const HeadSources& from) {
  for (const HeaderEdit& e : edits.list()) {
    if (e.removes_only) continue;
    out.put(e.name);
    out.put(": ");
    put_template(out, e.value, from);
    out.put("\r\n");
  }
}

// Headers that say who the client is, beyond those that have an id: all of X-Forwarded-*, and spellings with underscores, which many
// servers take for hyphens (CGI, WSGI, PHP).
bool claims_identity(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  const auto is = [name](std::string_view known) {
    for (size_t i = 0; i < known.size(); ++i)
      if ((name[i] == '_' ? '-' : lower(name[i])) != known[i]) return false;
    return true;
  };
  if (name.size() >= kPrefix.size() && is(kPrefix)) return true;
  return (name.size() == 9 && (is("x-real-ip") || is("forwarded"))) || (name.size() == 12 && is("x-request-id"));
}

void put_target(ByteSink& out, const HeadSources& from) {
  const MessageHead& req = from.exchange.request;
  const RequestEdits* dynamic = from.exchange.edits.get();
  if (dynamic && !dynamic->target.empty()) return out.put(dynamic->target);
  const Plan& plan = *from.exchange.plan;
  std::string_view path = req.text(req.path);
  // A prefix is cut at a segment's end only: /v1 leaves /v1x alone.
  if (!plan.strip.empty() && path.starts_with(plan.strip) && (path.size() == plan.strip.size() || path[plan.strip.size()] == '/'))
    path.remove_prefix(plan.strip.size());
  if (path != "*") out.put(plan.add);
  if (path.empty() && plan.add.empty()) path = "/";
  out.put(path);
  if (req.has_query) {
    out.put('?');
    out.put(req.text(req.query));
  }
}

std::string_view host_value(const HeadSources& from) {
  const Plan& plan = *from.exchange.plan;
  if (plan.host == Plan::Host::server) return from.server->host_header;
  if (plan.host == Plan::Host::literal) return plan.host_literal;
  const std::string_view sent = from.exchange.request.text(from.exchange.request.authority);
  // An HTTP/1.0 client may send no Host; what we send is HTTP/1.1 and needs one (RFC 9112 3.2).
  return sent.empty() && from.exchange.http10 ? std::string_view(from.server->host_header) : sent;
}

bool dynamic_drops(const RequestEdits* dynamic, std::string_view name) {
  if (!dynamic) return false;
  for (const auto& [set, value] : dynamic->set)
    if (equals_ignoring_case(name, set)) return true;
  for (const std::string& removed : dynamic->removed)
    if (equals_ignoring_case(name, removed)) return true;
  return false;
}

}  // namespace

void write_request_head(ByteSink& out, const HeadSources& from) {
  Exchange& ex = from.exchange;
  const MessageHead& req = ex.request;
  const HeaderEdits& edits = ex.plan->request;
  const RequestEdits* dynamic = ex.edits.get();
  const bool upgrade = ex.wants_upgrade;

  out.put(req.text(req.method_text));
  out.put(' ');
  put_target(out, from);
  out.put(" HTTP/1.1\r\n");
  put_header(out, "Host", host_value(from));

  uint32_t dropped = kRewritten;
  if (!from.client.trusted) dropped |= kIdentity;
  else {
    const uint32_t sent = from.listener.forwarded;
    if (sent & abi::forwarded::for_) dropped |= bit(HeaderId::x_forwarded_for);
    if (sent & abi::forwarded::proto) dropped |= bit(HeaderId::x_forwarded_proto);
    if (sent & abi::forwarded::host) dropped |= bit(HeaderId::x_forwarded_host);
    if (sent & abi::forwarded::port) dropped |= bit(HeaderId::x_forwarded_port);
    if (sent & abi::forwarded::forwarded) dropped |= bit(HeaderId::forwarded);
    if (sent & abi::forwarded::real_ip) dropped |= bit(HeaderId::x_real_ip);
    if (sent & abi::forwarded::request_id) dropped |= bit(HeaderId::x_request_id);
  }
  // An Expect from an HTTP/1.0 client means nothing (RFC 9110 10.1.1).
  if (ex.http10) dropped |= bit(HeaderId::expect);
  if (req.body != BodyKind::chunked) dropped |= bit(HeaderId::trailer);
  if (ex.seen.trace) dropped |= bit(HeaderId::traceparent);
  const ListenerSettings& l = from.listener;
  const bool asks_certificates = !l.certificate_subject.empty() || !l.certificate_fingerprint.empty();
  const auto is_spoofed = [&](const HeaderRef& h) {
    if (h.id != HeaderId::other) return false;
    if (asks_certificates && l.tells_certificate(req.name(h))) return true;
    return !from.client.trusted && (req.base[h.name_at] | 0x20) == 'x' && claims_identity(req.name(h));
  };
  const bool plain = edits.empty() && !dynamic && !req.connection_names_headers;
  if (plain) {
    copy_headers(out, req, [&](const HeaderRef& h) { return !(dropped >> unsigned(h.id) & 1) && !is_spoofed(h); });
  } else {
    copy_headers(out, req, [&](const HeaderRef& h) {
      if (dropped >> unsigned(h.id) & 1 || is_spoofed(h)) return false;
      const std::string_view name = req.name(h);
      if (edits.drops(h.id, name) || dynamic_drops(dynamic, name)) return false;
      return !req.connection_names_headers || !named_by_connection(req, name);
    });
  }
  write_identity(out, from);
  if (ex.seen.trace && !edits.drops(HeaderId::traceparent, "traceparent")) put_header(out, "traceparent", ex.seen.trace->view());
  if (!edits.empty()) put_edits(out, edits, from);
  if (dynamic)
    for (const auto& [name, value] : dynamic->set) put_header(out, name, value);

  if (req.body == BodyKind::chunked) out.put("Transfer-Encoding: chunked\r\n");
  else if (req.has_content_length) {
    out.put("Content-Length: ");
    out.put_number(req.content_length);
    out.put("\r\n");
  }
  if (upgrade) {
    out.put("Connection: upgrade\r\n");
    each_value(req, HeaderId::upgrade, [&](std::string_view v) {
      each_token(v, [&](std::string_view protocol) {
        if (!equals_ignoring_case(protocol, "h2c")) put_header(out, "Upgrade", protocol);
      });
    });
  } else if (req.te_trailers) {
    out.put("TE: trailers\r\nConnection: te\r\n");
  }
  out.put("\r\n");
}

void write_response_head(ByteSink& out, const HeadSources& from, const ResponseShape& shape) {
  const Exchange& ex = from.exchange;
  const MessageHead& res = ex.response;
  const HeaderEdits& edits = ex.plan->response;

  out.put("HTTP/1.1 ");
  out.put_number(res.status);
  out.put(' ');
  out.put(res.text(res.reason));
  out.put("\r\n");

  uint32_t dropped = kRewritten & ~(bit(HeaderId::host) | bit(HeaderId::te));
  if (shape.framing != ResponseFraming::chunked) dropped |= bit(HeaderId::trailer);
  if (edits.empty() && !res.connection_names_headers) {
    copy_headers(out, res, [dropped](const HeaderRef& h) { return !(dropped >> unsigned(h.id) & 1); });
  } else {
    copy_headers(out, res, [&](const HeaderRef& h) {
      if (dropped >> unsigned(h.id) & 1) return false;
      const std::string_view name = res.name(h);
      return !edits.drops(h.id, name) && !(res.connection_names_headers && named_by_connection(res, name));
    });
  }
  if (!edits.empty()) put_edits(out, edits, from);
  if (ex.edits) out.put(ex.edits->response);
  if (!from.listener.defaults.empty()) put_defaults(out, from, edits);
  write_response_facts(out, from);

  if (shape.switching) {
    out.put("Connection: upgrade\r\n");
    each_value(res, HeaderId::upgrade, [&](std::string_view v) { put_header(out, "Upgrade", v); });
  } else if (shape.framing == ResponseFraming::chunked) {
    out.put("Transfer-Encoding: chunked\r\n");
  } else if (res.has_content_length && res.status != 204) {
    out.put("Content-Length: ");
    out.put_number(res.content_length);
    out.put("\r\n");
  }
  if (shape.close) out.put("Connection: close\r\n");
  else if (shape.keep_alive_1_0) out.put("Connection: keep-alive\r\n");
  out.put("\r\n");
}

void write_interim_head(ByteSink& out, const Exchange& ex) {
  const MessageHead& res = ex.response;
  out.put("HTTP/1.1 ");
  out.put_number(res.status);
  out.put(' ');
  out.put(res.text(res.reason));
  out.put("\r\n");
  copy_headers(out, res, [&](const HeaderRef& h) {
    if (kRewritten >> unsigned(h.id) & 1) return false;
    return !(res.connection_names_headers && named_by_connection(res, res.name(h)));
  });
  out.put("\r\n");
}

void write_answer_head(ByteSink& out, const HeadSources& from, const Answer& answer, std::string_view content_type, size_t length,
                       std::string_view date, bool close) {
  out.put("HTTP/1.1 ");
  out.put_number(uint64_t(answer.status));
  out.put(' ');
  out.put(reason_phrase(answer.status));
  out.put("\r\n");
  put_header(out, "Date", date);
  out.put(answer.headers);
  for (const DefaultHeader& d : from.listener.defaults)
    if (!has_line(answer.headers, d.lower)) out.put(d.line);
  write_answer_facts(out, from, answer);
  const bool bodiless = answer.status == 204 || answer.status == 304;
  if (!bodiless) {
    if (length > 0 && !content_type.empty()) put_header(out, "Content-Type", content_type);
    out.put("Content-Length: ");
    out.put_number(length);
    out.put("\r\n");
  }
  if (close) out.put("Connection: close\r\n");
  else if (from.exchange.http10) out.put("Connection: keep-alive\r\n");
  out.put("\r\n");
}

}  // namespace weir
