#include <errno.h>

#include "observe/line_out.h"
#include "observe/log_line.h"
#include "observe/record_words.h"

namespace weir {

namespace {

namespace field = abi::record_field;
namespace flag = abi::record_flag;

// Writes the fields in the order of abi::record_field. Each begins with a comma; that of the first becomes the brace of the object.
class JsonLine {
 public:
  JsonLine(const RecordView& record, const LineContext& context, char* into)
      : record_(record), head_(record.head), context_(context), format_(context.format), begin_(into), out_{into} {}

  char* write() {
    put_origin();
    put_request();
    put_result();
    put_attempts();
    put_measures();
    put_fields();
    if (out_.at == begin_) out_.put('{');
    *begin_ = '{';
    out_.put("}\n");
    return out_.at;
  }

 private:
  // `lead` is everything in front of the value.
  void number(int which, std::string_view lead, uint64_t n) {
    if (!format_.has(which)) return;
    out_.put(lead);
    out_.number(n);
  }
  void number_if_any(int which, std::string_view lead, uint64_t n) {
    if (n != 0) number(which, lead, n);
  }
  // For strings, `lead` ends with a quote.
  void word(int which, std::string_view lead, std::string_view known) {
    if (known.empty() || !format_.has(which)) return;
    out_.put(lead);
    out_.put(known);
    out_.put('"');
  }
  void text(int which, std::string_view lead, RecordText from) {
    const std::string_view bytes = record_.text(from);
    if (bytes.empty() || !format_.has(which)) return;
    out_.put(lead);
    out_.text(escape_json, bytes, kMostTextOut);
    out_.put('"');
  }
  void name(int which, std::string_view lead, RowNames::Kind kind, unsigned row) { word(which, lead, context_.names.of(kind, row).whole); }
  void set_flag(int which, std::string_view all, int bit) {
    if (record_.has(bit) && format_.has(which)) out_.put(all);
  }

  void put_origin();
  void put_peer();
  void put_request();
  void put_target();
  [[nodiscard]] std::string_view protocol() const;
  void put_result();
  void put_attempts();
  void put_note(const AttemptNote& note);
  void put_measures();
  void put_fields();
  void put_headers();
  void put_header(const LogFormat::Header& header, unsigned first);

  const RecordView& record_;
  const RecordHead& head_;
  const LineContext& context_;
  const LogFormat& format_;
  char* const begin_;
  LineOut out_;
};

void JsonLine::put_origin() {
  if (format_.has(field::time)) {
    out_.put(",\"time\":\"");
    out_.at = context_.time.iso(head_.ended_at_us, out_.at);
    out_.put('"');
  }
  word(field::kind, ",\"kind\":\"", head_.kind == abi::record_kind::tunnel ? "tunnel" : "exchange");
  number(field::worker, ",\"worker\":", context_.worker);
  text(field::request_id, ",\"requestId\":\"", RecordText::request_id);
  put_peer();
  name(field::listener, ",\"listener\":\"", RowNames::Kind::listener, head_.listener);
}

// Who asked, and who connected: the same where no trusted proxy is between.
void JsonLine::put_peer() {
  const bool is_unix = record_.has(flag::unix_peer);
  if (format_.has(field::client)) {
    out_.put(",\"client\":\"");
    if (is_unix && std::memcmp(head_.client, head_.peer, sizeof head_.peer) == 0) out_.put("unix:");
    else out_.ip(head_.client);
    out_.put('"');
  }
  if (!format_.has(field::peer)) return;
  out_.put(",\"peer\":\"");
  if (is_unix) return out_.put("unix:\"");
  const bool is_v4 = is_ipv4(head_.peer);
  if (!is_v4) out_.put('[');
  out_.ip(head_.peer);
  out_.put(is_v4 ? ":" : "]:");
  out_.number(head_.peer_port);
  out_.put('"');
}

void JsonLine::put_request() {
  text(field::method, ",\"method\":\"", RecordText::method);
  text(field::host, ",\"host\":\"", RecordText::host);
  put_target();
  word(field::protocol, ",\"protocol\":\"", protocol());
}

void JsonLine::put_target() {
  const std::string_view target = record_.text(RecordText::target);
  const size_t query = query_at(target);
  char* const before = out_.at;
  if (query > 0 && format_.has(field::path)) {
    out_.put(",\"path\":\"");
    out_.text(escape_json, target.substr(0, query), kMostTargetOut);
    out_.put('"');
  }
  if (query >= target.size() || !format_.has(field::query)) return;
  const size_t used = std::min(size_t(out_.at - before), kMostTargetOut);
  out_.put(",\"query\":\"");
  out_.redacted(escape_json, target.substr(query + 1), format_.secrets, kMostTargetOut - used);
  out_.put('"');
}

std::string_view JsonLine::protocol() const {
  if (!record_.text(RecordText::method).empty()) return record_.has(flag::http10) ? "HTTP/1.0" : "HTTP/1.1";
  // Behind an upgrade, only its ends know.
  if (head_.kind != abi::record_kind::tunnel || record_.has(flag::upgraded)) return {};
  return record_.has(flag::tls) ? "tls" : "tcp";
}

void JsonLine::put_result() {
  number(field::status, ",\"status\":", head_.status);
  word(field::termination, ",\"termination\":\"", termination_word(head_.termination));
  name(field::route, ",\"route\":\"", RowNames::Kind::route, head_.route);
  const RowName& server = context_.names.of(RowNames::Kind::server, head_.server);
  word(field::upstream, ",\"upstream\":\"", server.upstream());
  word(field::server, ",\"server\":\"", server.server());
}

void JsonLine::put_attempts() {
  number_if_any(field::attempts, ",\"attempts\":", head_.attempts);
  if (head_.notes > 0 && format_.has(field::failed_attempts)) {
    out_.put(",\"failedAttempts\":[");
    for (unsigned i = 0; i < head_.notes; ++i) {
      if (i > 0) out_.put(',');
      put_note(record_.notes[i]);
    }
    out_.put(']');
  }
  set_flag(field::is_reused, ",\"isReused\":true", flag::reused_connection);
  set_flag(field::is_hedged, ",\"isHedged\":true", flag::hedged);
}

void JsonLine::put_note(const AttemptNote& note) {
  out_.put('{');
  const RowName& server = context_.names.of(RowNames::Kind::server, note.server);
  if (!server.whole.empty()) {
    out_.put("\"server\":\"");
    out_.put(server.whole);
    out_.put("\",");
  }
  out_.put("\"reason\":\"");
  out_.put(failure_word(uint8_t(note.reason)));
  out_.put('"');
  if (note.reason == abi::failure::status) {
    out_.put(",\"status\":");
    out_.number(note.detail);
  } else if (const char* error = note.detail ? ::strerrorname_np(note.detail) : nullptr) {
    out_.put(",\"error\":\"");
    out_.put(error);
    out_.put('"');
  }
  out_.put(",\"atUs\":");
  out_.number(note.at_us);
  out_.put('}');
}

void JsonLine::put_measures() {
  number(field::bytes_in, ",\"bytesIn\":", head_.bytes_in);
  number(field::bytes_out, ",\"bytesOut\":", head_.bytes_out);
  number_if_any(field::queue_us, ",\"queueUs\":", head_.queue_us);
  number_if_any(field::connect_us, ",\"connectUs\":", head_.connect_us);
  number_if_any(field::first_byte_us, ",\"firstByteUs\":", head_.first_byte_us);
  number(field::total_us, ",\"totalUs\":", head_.total_us);
  if (head_.kind == abi::record_kind::exchange) number(field::overhead_us, ",\"overheadUs\":", head_.overhead_us);
  else number_if_any(field::overhead_us, ",\"overheadUs\":", head_.overhead_us);
}

void JsonLine::put_fields() {
  const std::string_view referer = record_.text(RecordText::referer);
  if (!referer.empty() && format_.has(field::referer)) {
    out_.put(",\"referer\":\"");
    put_url(out_, escape_json, referer, format_.secrets, kMostTextOut);
    out_.put('"');
  }
  text(field::user_agent, ",\"userAgent\":\"", RecordText::user_agent);
  text(field::traceparent, ",\"traceparent\":\"", RecordText::traceparent);
  if (head_.captures > 0 && format_.has(field::headers)) put_headers();
}

void JsonLine::put_headers() {
  char* const before = out_.at;
  out_.put(",\"headers\":{");
  char* const first = out_.at;
  const size_t count = std::min<size_t>(format_.headers.size(), kMostCaptures);
  for (size_t n = 0; n < count; ++n) {
    const LogFormat::Header& header = format_.headers[n];
    unsigned i = 0;
    while (i < head_.captures && record_.captures[i].key != header.key) ++i;
    if (i == head_.captures) continue;
    if (out_.at != first) out_.put(',');
    put_header(header, i);
  }
  if (out_.at == first) out_.at = before;
  else out_.put('}');
}

// `first` is its first value; a field that was sent several times has more of them.
void JsonLine::put_header(const LogFormat::Header& header, unsigned first) {
  out_.put('"');
  out_.put(header.name);
  out_.put("\":\"");
  if (header.is_secret) {
    out_.put(kRedacted);
  } else {
    for (unsigned i = first; i < head_.captures; ++i) {
      if (record_.captures[i].key != header.key) continue;
      if (i != first) out_.put(", ");
      out_.text(escape_json, record_.captures[i].value, kMostCaptureOut);
    }
  }
  out_.put('"');
}

}  // namespace

char* write_json_line(const RecordView& record, const LineContext& context, char* into) { return JsonLine(record, context, into).write(); }

}  // namespace weir
