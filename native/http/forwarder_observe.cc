// What statistics and logs say of an exchange, gathered when it ends.
#include <algorithm>
#include <cstring>

#include "base/waste.h"
#include "http/forwarder.h"
#include "http/head_parts.h"
#include "http/text.h"

namespace weir {

namespace {

// Texts and captured fields of a request's head, cut where they are too long.
class RecordTexts {
 public:
  RecordTexts(const Exchange& ex, const std::vector<CapturedName>& captured) : head_(ex.request) {
    add(RecordText::method, head_.text(head_.method_text), kMostTextBytes);
    add(RecordText::host, head_.text(head_.authority), kMostTextBytes);
    add(RecordText::target, head_.text(head_.target), kMostTargetBytes);
    add(RecordText::request_id, id_of(ex), kMostTextBytes);
    if (ex.seen.trace) add(RecordText::traceparent, ex.seen.trace->view(), kMostTextBytes);
    for (unsigned i = 0; i < head_.header_count; ++i) take(head_.headers[i], captured);
    // Further values of one field only behind the first of each: a client must not push one out with another.
    for (unsigned i = 0; repeats_ && i < head_.header_count; ++i) capture(head_.headers[i], captured, true);
  }

  // Sizes first, so that the record can be written in place.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] bool truncated() const { return truncated_; }
  void write(RecordHead& head, char* to) const {
    for (unsigned i = 0; i < kRecordTexts; ++i) {
      head.lengths[i] = uint16_t(texts_[i].size());
      if (!texts_[i].empty()) memcpy(to, texts_[i].data(), texts_[i].size());
      to += texts_[i].size();
    }
    head.captures = uint16_t(captures_);
    for (unsigned i = 0; i < captures_; ++i) {
      const uint16_t numbers[2] = {capture_key_[i], uint16_t(capture_[i].size())};
      memcpy(to, numbers, sizeof numbers);
      memcpy(to + sizeof numbers, capture_[i].data(), capture_[i].size());
      to += sizeof numbers + capture_[i].size();
    }
  }

 private:
  static std::string_view id_of(const Exchange& ex) {
    if (ex.request_id_len > 0) return {ex.request_id, ex.request_id_len};
    return ex.client->trusted ? first_value(ex.request, HeaderId::x_request_id) : std::string_view();
  }
  std::string_view cut(std::string_view text, size_t most) {
    if (text.size() <= most) return text;
    truncated_ = true;
    return text.substr(0, most);
  }
  void add(RecordText which, std::string_view text, size_t most) {
    std::string_view& at = texts_[unsigned(which)];
    if (!at.empty()) return;
    at = cut(text, most);
    bytes_ += at.size();
  }
  void take(const HeaderRef& h, const std::vector<CapturedName>& captured) {
    switch (h.id) {
      case HeaderId::referer: add(RecordText::referer, head_.value(h), kMostTextBytes); break;
      case HeaderId::user_agent: add(RecordText::user_agent, head_.value(h), kMostTextBytes); break;
      case HeaderId::traceparent: add(RecordText::traceparent, head_.value(h), kMostTextBytes); break;
      default: break;
    }
    capture(h, captured, false);
  }
  void capture(const HeaderRef& h, const std::vector<CapturedName>& captured, bool takes_repeats) {
    for (size_t i = 0; i < captured.size() && captures_ < kMostCaptures; ++i) {
      if (!equals_ignoring_case(head_.name(h), captured[i].name)) continue;
      const bool is_first = first_[i] == nullptr || first_[i] == &h;
      if (!is_first) repeats_ = true;
      if (is_first == takes_repeats) continue;
      first_[i] = is_first ? &h : first_[i];
      capture_key_[captures_] = captured[i].key;
      capture_[captures_] = cut(head_.value(h), kMostTextBytes);
      bytes_ += 2 * sizeof(uint16_t) + capture_[captures_++].size();
    }
  }

  const MessageHead& head_;
  std::string_view texts_[kRecordTexts];
  std::string_view capture_[kMostCaptures];
  uint16_t capture_key_[kMostCaptures];
  const HeaderRef* first_[kMostCaptures] = {};  // of each captured name
  bool repeats_ = false;
  unsigned captures_ = 0;
  size_t bytes_ = 0;
  bool truncated_ = false;
};

KeptRecord& kept_of(Exchange& ex) {
  if (!ex.seen.kept) ex.seen.kept = std::make_unique<KeptRecord>();
  return *ex.seen.kept;
}

int class_of(int status) {
  return status >= 100 && status < 600 ? abi::route_counter::status1xx + status / 100 - 1 : abi::route_counter::no_status;
}

}  // namespace

// A route was found, or another one by a late decision.
void Forwarder::on_route(Exchange& ex, unsigned row) {
  Observed& o = ex.seen;
  if (row >= unsigned(abi::board::routes)) return;
  if (o.has_route && o.route == row) return;
  if (o.has_route) --rt_.board.route(o.route)[abi::route_counter::active];
  o.has_route = true;
  o.route = uint16_t(row);
  ++rt_.board.route(row)[abi::route_counter::active];
}

void Forwarder::trace(Exchange& ex) {
  TraceContext context;
  if (begin_trace(first_value(ex.request, HeaderId::traceparent), rt_.trace_share, random_, context))
    ex.seen.trace = std::make_unique<TraceContext>(context);
}

void Forwarder::note_failure(Exchange& ex, const Failure& f) {
  const uint64_t at = rt_.now_us > ex.started_us ? rt_.now_us - ex.started_us : 0;
  kept_of(ex).note({uint32_t(std::min<uint64_t>(at, UINT32_MAX)), uint16_t(ex.server_slot), uint16_t(f.reason & 0xf), uint16_t(f.error & 0xfff)});
}

// The buffer of its head is about to be given back.
void Forwarder::keep_texts(Exchange& ex) {
  if (!rt_.records || !ex.head_held) return;
  KeptRecord& kept = kept_of(ex);
  const RecordTexts texts(ex, rt_.recorded_headers);
  kept.texts.resize(texts.bytes());
  texts.write(kept.head, kept.texts.data());
  if (texts.truncated()) kept.head.flags = abi::record_flag::truncated;
  const PeerIp client = client_ip(ex, *ex.client, listener_of(*ex.client));
  memcpy(kept.head.client, client.bytes, sizeof kept.head.client);
  kept.has_texts = true;
}

// The exchange is over: every counter, histogram and log that wants to know of it.
void Forwarder::observe(Exchange& ex) {
  waste();
  Observed& o = ex.seen;
  const ClientConnection& c = *ex.client;
  const uint64_t now = monotonic_us();
  o.end(now);
  if (o.queued_since_us != 0) o.unqueue(now);
  const uint64_t total_us = now > ex.started_us ? now - ex.started_us : 0;

  rt_.count(abi::worker_counter::terminations + o.termination);
  double* row = rt_.board.route(o.route);
  if (o.has_route) --row[abi::route_counter::active];
  ++row[class_of(o.status)];
  row[abi::route_counter::bytes_in] += double(ex.parser.consumed()) + double(ex.body_bytes);
  row[abi::route_counter::bytes_out] += double(c.sent - ex.sent_before);

  HistogramMap& h = rt_.histograms;
  if (o.status != 0) {
    h.record_route(o.route, abi::phase::total, total_us);
    h.record_route(o.route, abi::phase::overhead, o.overhead_us);
    if (o.queue_us != 0) h.record_route(o.route, abi::phase::queue, o.queue_us);
  }
  if (o.has_response) {
    h.record_route(o.route, abi::phase::first_byte, o.first_byte_us);
    if (o.connect_us != 0) h.record_route(o.route, abi::phase::connect, o.connect_us);
    h.record_server(ex.server_slot, abi::phase::first_byte, o.first_byte_us);
    h.record_server(ex.server_slot, abi::phase::total, total_us);
    h.record_server(ex.server_slot, abi::phase::overhead, o.overhead_us);
    if (o.queue_us != 0) h.record_server(ex.server_slot, abi::phase::queue, o.queue_us);
  }
  if (rt_.records) record(ex, total_us);
}

void Forwarder::record(const Exchange& ex, uint64_t total_us) {
  const Observed& o = ex.seen;
  const ClientConnection& c = *ex.client;
  const KeptRecord* kept = o.kept.get();
  const bool is_kept = kept && kept->has_texts;
  // A head that could not be read has no texts.
  const bool has_head = !is_kept && ex.head_held;
  const size_t notes = kept ? kept->note_count * sizeof(AttemptNote) : 0;
  RecordHead head;
  const auto fill = [&](size_t texts) {
    char* to = rt_.records->begin(sizeof head + notes + texts);
    if (!to) return to;
    head.kind = uint8_t(abi::record_kind::exchange);
    head.termination = o.termination;
    head.attempts = ex.attempts;
    head.notes = uint8_t(kept ? kept->note_count : 0);
    head.ended_at_us = wall_clock_us();
    head.bytes_in = ex.parser.consumed() + ex.body_bytes;
    head.bytes_out = c.sent - ex.sent_before;
    head.queue_us = o.queue_us;
    head.connect_us = o.connect_us;
    head.first_byte_us = o.first_byte_us;
    head.total_us = uint32_t(std::min<uint64_t>(total_us, UINT32_MAX));
    head.overhead_us = o.overhead_us;
    head.flags |= (ex.reused ? abi::record_flag::reused_connection : 0) | (ex.http10 ? abi::record_flag::http10 : 0) |
                  (ex.hedged ? abi::record_flag::hedged : 0) | (c.unix_peer ? abi::record_flag::unix_peer : 0) |
                  (ex.waited ? abi::record_flag::waited : 0) | (o.status == 101 ? abi::record_flag::upgraded : 0) |
                  (ex.answering ? abi::record_flag::answered : 0) | (c.stream.is_plain() ? 0 : abi::record_flag::tls);
    head.status = o.status;
    head.listener = c.listener;
    head.route = o.route;
    if (ex.attempts > 0) head.server = uint16_t(ex.server_slot);
    head.peer_port = c.peer_port;
    memcpy(head.peer, c.peer.bytes, sizeof head.peer);
    memcpy(to, &head, sizeof head);
    if (notes > 0) memcpy(to + sizeof head, kept->notes, notes);
    return to;
  };
  if (is_kept) {
    head = kept->head;
    if (char* to = fill(kept->texts.size())) memcpy(to + sizeof head + notes, kept->texts.data(), kept->texts.size());
  } else if (has_head) {
    const RecordTexts texts(ex, rt_.recorded_headers);
    const PeerIp client = client_ip(ex, c, listener_of(c));
    memcpy(head.client, client.bytes, sizeof head.client);
    if (texts.truncated()) head.flags = abi::record_flag::truncated;
    if (char* to = fill(texts.bytes())) {
      texts.write(head, to + sizeof head + notes);
      memcpy(to, &head, sizeof head);
    }
  } else {
    memcpy(head.client, c.peer.bytes, sizeof head.client);
    (void)fill(0);
  }
  rt_.records->commit();
}

}  // namespace weir
