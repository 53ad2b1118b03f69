#include "tls/client_hello.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

constexpr uint32_t kRecordHeader = 5, kMessageHeader = 4;
constexpr uint32_t kMaxRecord = 1 << 14;  // RFC 8446 5.1, RFC 5246 6.2.1
constexpr uint32_t kMaxName = 255;
// How much of an unfinished message is looked at: a client that sends a long one byte by byte must not buy a pass over all with each.
constexpr uint32_t kEagerBytes = 4096;
constexpr uint8_t kHandshakeRecord = 22, kMajorVersion = 3, kClientHelloMessage = 1, kHostName = 0;
constexpr uint16_t kServerName = 0, kAlpn = 16;

uint8_t byte_at(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

uint32_t number_at(std::string_view bytes, size_t at, uint32_t width) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < width; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

// The least and the most bytes that a vector may have, as in the RFCs' <0..32>.
struct Bounds {
  uint32_t least, most;
};

// Fields of a structure whose length was claimed, of which the last bytes may not be here yet.
// Borrows  the bytes and the verdict, which starts as `incomplete`. Every reader answers whether there is something to go on with;
//          if not, the verdict has become `failed`, or else the bytes are yet to come.
class Fields {
 public:
  Fields() = default;
  Fields(HelloRead& verdict, std::string_view here, uint32_t size) : verdict_(&verdict), here_(here), left_(size) {}

  bool empty() const { return left_ == 0; }
  uint32_t size() const { return left_; }

  bool fail(const char* why) {
    *verdict_ = {HelloRead::Kind::failed, why};
    return false;
  }

  // Steps over bytes whether they are here or not: the next field waits for them.
  bool skip(uint32_t size) {
    if (size > left_) return fail("wrong length");
    here_.remove_prefix(std::min<size_t>(size, here_.size()));
    left_ -= size;
    return true;
  }

  bool number(uint32_t width, uint32_t& value) {
    if (width > left_) return fail("wrong length");
    if (width > here_.size()) return false;
    value = number_at(here_, 0, width);
    return skip(width);
  }

  // A vector with a length of `width` bytes in front; `content` may be here in part.
  bool vector(uint32_t width, Bounds bounds, Fields& content) {
    uint32_t size = 0;
    if (!number(width, size)) return false;
    if (size < bounds.least || size > bounds.most) return fail("wrong length");
    content = Fields(*verdict_, here_.substr(0, size), size);
    return skip(size);
  }

  // A vector with nothing behind it.
  bool last_vector(uint32_t width, Bounds bounds, Fields& content) {
    return vector(width, bounds, content) && (empty() || fail("wrong length"));
  }

  // All that is left, once it is here.
  bool text(std::string_view& all) const {
    all = here_;
    return here_.size() == left_;
  }

 private:
  HelloRead* verdict_ = nullptr;
  std::string_view here_;
  uint32_t left_ = 0;
};

// --- Records: handshake bytes without record headers

struct Handshake {
  std::string_view here;  // of the first message only, its header included; into the input, or into `joined`
  std::string joined;     // used from the second record on

  bool has_size() const { return here.size() >= kMessageHeader; }
  uint32_t size() const { return kMessageHeader + number_at(here, 1, 3); }
  bool is_whole() const { return has_size() && here.size() == size(); }

  // `most`: how many bytes can come at all, which is as many as it reserves.
  void append(std::string_view piece, size_t most) {
    if (here.empty()) {
      here = piece;
    } else if (!piece.empty()) {
      if (joined.empty()) joined.reserve(most);
      if (joined.empty()) joined = here;
      here = joined += piece;
    }
    if (has_size()) here = here.substr(0, size());
  }
};

// What is wrong with a record header, of which the end may be missing; or null.
const char* fault_of_header(std::string_view header, bool is_first) {
  if (header.empty()) return nullptr;
  if (byte_at(header, 0) != kHandshakeRecord) return is_first ? "not TLS" : "hello cut by another record";
  if (header.size() > 1 && byte_at(header, 1) != kMajorVersion) return "not TLS";
  if (header.size() < kRecordHeader) return nullptr;
  const uint32_t size = number_at(header, 3, 2);
  return size == 0 ? "empty record" : size > kMaxRecord ? "record too long" : nullptr;
}

// The offset on the wire where the message ends at best, if `left` bytes of it start at `at`, in a record with room for `room`.
uint32_t earliest_end(uint32_t at, uint32_t room, uint32_t left) {
  if (left <= room) return at + left;
  const uint32_t records = (left - room + kMaxRecord - 1) / kMaxRecord;
  return at + left + records * kRecordHeader;
}

// Takes the first handshake message from its records, as far as they are here; what is wrong with them, or null.
const char* gather(std::string_view bytes, Handshake& out) {
  const size_t most = std::min<size_t>(bytes.size(), kMaxHelloBytes);
  for (uint32_t at = 0; !out.is_whole();) {
    const std::string_view header = bytes.substr(at, kRecordHeader);
    if (const char* fault = fault_of_header(header, at == 0)) return fault;
    if (header.size() < kRecordHeader) return nullptr;
    const uint32_t size = number_at(header, 3, 2), before = static_cast<uint32_t>(out.here.size());
    at += kRecordHeader;
    out.append(bytes.substr(at, size), most);
    if (!out.here.empty() && byte_at(out.here, 0) != kClientHelloMessage) return "not a ClientHello";
    if (out.has_size() && earliest_end(at, size, out.size() - before) > kMaxHelloBytes) return "hello too long";
    if (bytes.size() - at < size) return nullptr;
    at += size;
  }
  return nullptr;
}

// --- The message

// RFC 6066 3 wants a DNS name; what routing must not meet are bytes that mean something to logs and headers.
bool take_name(std::string_view name, std::string& out) {
  if (name.empty() || name.size() > kMaxName) return false;
  if (name.back() == '.') name.remove_suffix(1);
  if (name.empty() || name.back() == '.') return false;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; })) return false;
  out = name;
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return true;
}

bool read_server_name(Fields data, ClientHello& out) {
  Fields list, name;
  if (!data.last_vector(2, {1, 0xffff}, list)) return false;
  while (!list.empty()) {
    uint32_t type = 0;
    std::string_view text;
    if (!list.number(1, type) || !list.vector(2, {0, 0xffff}, name)) return false;
    if (type != kHostName) continue;
    if (!out.server_name.empty()) return list.fail("two server names");
    if (name.size() > kMaxName) return name.fail("bad server name");
    if (!name.text(text)) return false;
    if (!take_name(text, out.server_name)) return name.fail("bad server name");
  }
  return true;
}

bool is_listable(std::string_view protocol) {
  return std::all_of(protocol.begin(), protocol.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != ','; });
}

bool read_alpn(Fields data, ClientHello& out) {
  Fields list, protocol;
  if (!data.last_vector(2, {2, 0xffff}, list)) return false;
  while (!list.empty()) {
    std::string_view text;
    if (!list.vector(1, {1, kMaxName}, protocol) || !protocol.text(text)) return false;
    if (!is_listable(text)) continue;
    if (!out.alpn.empty()) out.alpn += ',';
    out.alpn += text;
  }
  return true;
}

bool read_extensions(Fields extensions, ClientHello& out) {
  bool has_names = false, has_alpn = false;
  while (!extensions.empty()) {
    uint32_t type = 0;
    Fields data;
    if (!extensions.number(2, type) || !extensions.vector(2, {0, 0xffff}, data)) return false;
    if (type != kServerName && type != kAlpn) continue;
    if (std::exchange(type == kAlpn ? has_alpn : has_names, true)) return extensions.fail("an extension twice");
    if (!(type == kAlpn ? read_alpn(data, out) : read_server_name(data, out))) return false;
  }
  return true;
}

// RFC 8446 4.1.2. Before TLS 1.3 the message may end without extensions (RFC 5246 7.4.1.2).
bool read_body(Fields body, ClientHello& out) {
  constexpr uint32_t kVersionAndRandom = 2 + 32;
  Fields session_id, ciphers, compressions, extensions;
  if (!body.skip(kVersionAndRandom) || !body.vector(1, {0, 32}, session_id)) return false;
  if (!body.vector(2, {2, 0xfffe}, ciphers)) return false;
  if (ciphers.size() % 2 != 0) return body.fail("wrong length");
  if (!body.vector(1, {1, 0xff}, compressions)) return false;
  if (body.empty()) return true;
  return body.last_vector(2, {0, 0xffff}, extensions) && read_extensions(extensions, out);
}

HelloRead read_message(const Handshake& message, ClientHello& out) {
  HelloRead verdict{HelloRead::Kind::incomplete};
  if (!message.has_size()) return verdict;
  const std::string_view looked_at = message.is_whole() ? message.here : message.here.substr(0, kEagerBytes);
  const Fields body(verdict, looked_at.substr(kMessageHeader), message.size() - kMessageHeader);
  if (read_body(body, out) && message.is_whole()) verdict.kind = HelloRead::Kind::complete;
  return verdict;
}

}  // namespace

HelloRead read_client_hello(std::string_view bytes, ClientHello& out) {
  out = ClientHello();
  Handshake message;
  if (const char* fault = gather(bytes, message)) return {HelloRead::Kind::failed, fault};
  const HelloRead read = read_message(message, out);
  if (read.kind != HelloRead::Kind::complete) out = ClientHello();
  return read;
}

}  // namespace weir
