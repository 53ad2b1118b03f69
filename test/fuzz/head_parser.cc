// Whatever the bytes and however they are split: the same head or the same refusal, and nothing outside of the input is touched.
// Input    byte 0: kind and limits; byte 1: seed of the random split; the rest: what the peer sends.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "http/head_parser.h"
#include "http/scan.h"

using namespace weir;

namespace {

void require(bool holds) {
  if (!holds) abort();
}

struct Outcome {
  ParseResult result = ParseResult::incomplete;
  ParseError error = ParseError::none;
  uint32_t consumed = 0;
  std::unique_ptr<MessageHead> head = std::make_unique<MessageHead>();
};

struct Run {
  HeadParser::Kind kind;
  HeadLimits limits;
  Method method;
  const std::vector<char>& bytes;
};

// Feeds prefixes that grow by what `next_step` says; each prefix is an allocation of its own, so a read past it is caught.
template <typename NextStep>
Outcome parse(const Run& run, std::vector<std::unique_ptr<char[]>>& keep, NextStep next_step) {
  Outcome out;
  HeadParser parser;
  parser.reset(run.kind);
  parser.set_request_method(run.method);
  for (size_t length = 0; length < run.bytes.size() && out.result == ParseResult::incomplete;) {
    length = std::min(run.bytes.size(), length + next_step());
    keep.push_back(std::make_unique<char[]>(length));
    std::memcpy(keep.back().get(), run.bytes.data(), length);
    out.result = parser.feed(keep.back().get(), static_cast<uint32_t>(length), run.limits, *out.head);
    if (keep.size() > 1) keep.erase(keep.begin());
  }
  out.error = parser.error();
  out.consumed = parser.consumed();
  return out;
}

void same_span(Span16 a, Span16 b) { require(a.at == b.at && a.len == b.len); }

void same(const Outcome& a, const Outcome& b) {
  require(a.result == b.result && a.error == b.error);
  if (a.result != ParseResult::complete) return;
  const MessageHead &x = *a.head, &y = *b.head;
  require(a.consumed == b.consumed && x.method == y.method && x.status == y.status && x.body == y.body && x.content_length == y.content_length);
  require(x.keep_alive == y.keep_alive && x.has_upgrade == y.has_upgrade && x.upgrade_is_h2c == y.upgrade_is_h2c && x.minor_version == y.minor_version);
  require(x.path_needs_normalizing == y.path_needs_normalizing && x.expect_continue == y.expect_continue && x.te_trailers == y.te_trailers);
  same_span(x.path, y.path);
  same_span(x.query, y.query);
  same_span(x.authority, y.authority);
  same_span(x.reason, y.reason);
  require(x.header_count == y.header_count);
  require(std::memcmp(x.headers, y.headers, x.header_count * sizeof(HeaderRef)) == 0);
}

// Facts that hold for every head that was let through.
void check_head(const Outcome& out, const Run& run) {
  const MessageHead& head = *out.head;
  require(out.consumed <= run.bytes.size() && out.consumed <= run.limits.bytes && head.header_count <= run.limits.headers);
  require(out.consumed >= 4 && std::memcmp(head.base + out.consumed - 4, "\r\n\r\n", 4) == 0);
  require(!(head.has_content_length && head.body == BodyKind::chunked));
  int hosts = 0, lengths = 0;
  for (int i = 0; i < head.header_count; ++i) {
    const HeaderRef& field = head.headers[i];
    const std::string_view name = head.name(field), value = head.value(field);
    require(!name.empty() && scan::skip_token(name.data(), name.data() + name.size()) == name.data() + name.size());
    require(scan::find_control(value.data(), value.data() + value.size()) == value.data() + value.size());
    require(static_cast<size_t>(field.value_at) + field.value_len <= out.consumed);
    hosts += field.id == HeaderId::host;
    lengths += field.id == HeaderId::content_length;
  }
  require(lengths <= 1);
  if (run.kind == HeadParser::Kind::response) return require(head.status >= 100 && head.status <= 599);
  require(hosts <= 1 && (hosts == 1 || head.minor_version == 0) && head.body != BodyKind::until_close);
  const std::string_view path = head.text(head.path);
  require(path.empty() ? head.absolute_form || head.method == Method::connect : path[0] == '/' || path == "*");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::vector<char> bytes(data + 2, data + size);
  Run run{data[0] & 1 ? HeadParser::Kind::response : HeadParser::Kind::request, {}, data[0] & 2 ? Method::head : Method::get, bytes};
  if (data[0] & 4) run.limits = {static_cast<uint32_t>(64 + data[0]), 3};
  uint32_t random = data[1] + 1u;
  std::vector<std::unique_ptr<char[]>> whole, bytewise, split;
  const Outcome all = parse(run, whole, [&] { return bytes.size(); });
  same(all, parse(run, bytewise, [] { return size_t{1}; }));
  same(all, parse(run, split, [&] { return size_t{1} + (random = random * 1664525u + 1013904223u) % 40; }));
  if (all.result == ParseResult::complete) check_head(all, run);
  return 0;
}
