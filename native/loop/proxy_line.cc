#include "loop/proxy_line.h"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

constexpr size_t kMaxLineBytes = 107;  // CRLF included

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 0-15, or -1 for a byte that is no hex digit.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// A line of version 1, read step by step. Once bytes ran out or one was wrong, the steps that follow do nothing.
class LineReader {
 public:
  enum class State : uint8_t { going, out_of_bytes, wrong };

  explicit LineReader(std::string_view in) : rest_(in) {}
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const char* why() const { return why_; }
  [[nodiscard]] size_t left() const { return rest_.size(); }

  // The next byte; 0 when a step before failed, or bytes run out here.
  char peek() {
    if (state_ == State::going && rest_.empty()) state_ = State::out_of_bytes;
    return state_ == State::going ? rest_.front() : '\0';
  }
  void fail(const char* why) {
    if (state_ != State::going) return;
    state_ = State::wrong;
    why_ = why;
  }
  void literal(std::string_view text, const char* why);
  void anything_up_to_crlf();
  void ip(char family, PeerIp& out);
  uint16_t port() { return static_cast<uint16_t>(number(65535, "bad port in a PROXY line")); }

 private:
  static constexpr const char* kBadIpv4 = "bad IPv4 address in a PROXY line";
  static constexpr const char* kBadIpv6 = "bad IPv6 address in a PROXY line";

  void skip() { rest_.remove_prefix(1); }
  uint32_t number(uint32_t max, const char* why);
  uint16_t hex_group();
  void ipv4(unsigned char* out, const char* why);
  void ipv6(unsigned char* out);

  std::string_view rest_;
  State state_ = State::going;
  const char* why_ = nullptr;
};

void LineReader::literal(std::string_view text, const char* why) {
  for (char c : text) {
    if (peek() != c) return fail(why);
    skip();
  }
}

void LineReader::anything_up_to_crlf() {
  while (peek() != '\r' && state_ == State::going) {
    if (peek() == '\n') return fail("a PROXY line ends without CR");
    skip();
  }
  literal("\r\n", "CR without LF in a PROXY line");
}

// Decimal, without sign or leading zeros: what follows a leading zero is left to the next step, which expects no digit.
uint32_t LineReader::number(uint32_t max, const char* why) {
  uint32_t value = 0;
  do {
    if (!is_digit(peek())) {
      fail(why);
      break;
    }
    value = value * 10 + static_cast<uint32_t>(peek() - '0');
    skip();
    if (value > max) fail(why);
  } while (value != 0 && is_digit(peek()));
  return value;
}

void LineReader::ipv4(unsigned char* out, const char* why) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) literal(".", why);
    out[i] = static_cast<unsigned char>(number(255, why));
  }
}

uint16_t LineReader::hex_group() {
  uint32_t value = 0;
  if (hex_value(peek()) < 0) fail(kBadIpv6);
  for (int digits = 0; digits < 4 && hex_value(peek()) >= 0; ++digits) {
    value = value << 4 | static_cast<uint32_t>(hex_value(peek()));
    skip();
  }
  return static_cast<uint16_t>(value);
}

// RFC 4291 2.2. "::" stands for one group at least, as inet_pton has it; the space after the address is not consumed.
void LineReader::ipv6(unsigned char* out) {
  constexpr size_t none = 16;
  unsigned char found[16] = {};
  size_t size = 0, gap = none;  // in bytes
  const auto room = [&] { return 16 - size - (gap == none ? 0 : 2); };
  if (peek() == ':') {
    literal("::", kBadIpv6);
    gap = 0;
  }
  while (state_ == State::going) {
    if (gap == size && peek() == ' ') break;
    if (peek() && room() == 0) return fail(kBadIpv6);
    const std::string_view group_starts = rest_;
    const uint16_t group = hex_group();
    if (peek() == '.') {
      if (gap == none ? room() != 4 : room() < 4) return fail(kBadIpv6);
      rest_ = group_starts;
      ipv4(found + size, kBadIpv6);
      size += 4;
      break;
    }
    if (state_ != State::going) return;
    found[size++] = static_cast<unsigned char>(group >> 8);
    found[size++] = static_cast<unsigned char>(group);
    if (peek() == ' ') break;
    if (peek() && room() == 0) return fail(kBadIpv6);
    literal(":", kBadIpv6);
    if (gap != none || peek() != ':') continue;
    skip();
    gap = size;
  }
  if (gap == none && size != 16) return fail(kBadIpv6);
  const size_t head = std::min(gap, size);
  memset(out, 0, 16);
  memcpy(out, found, head);
  memcpy(out + 16 - (size - head), found + head, size - head);
}

void LineReader::ip(char family, PeerIp& out) {
  if (family == '6') {
    ipv6(out.bytes);
  } else {
    unsigned char bytes[4] = {};
    ipv4(bytes, kBadIpv4);
    out = mapped_ipv4(bytes);
  }
  literal(" ", family == '6' ? kBadIpv6 : kBadIpv4);
}

void read_line(LineReader& line, ProxyHeader& out) {
  constexpr const char* unknown_protocol = "unknown protocol in a PROXY line";
  line.literal("PROXY ", "not a PROXY header");
  if (line.peek() == 'U') {
    line.literal("UNKNOWN", unknown_protocol);
    return line.anything_up_to_crlf();
  }
  line.literal("TCP", unknown_protocol);
  const char family = line.peek();
  line.literal(family == '6' ? "6 " : "4 ", unknown_protocol);
  line.ip(family, out.addresses.source);
  line.ip(family, out.addresses.destination);
  out.addresses.source_port = line.port();
  line.literal(" ", "bad port in a PROXY line");
  out.addresses.destination_port = line.port();
  line.literal("\r\n", "a PROXY line does not end in CRLF after its ports");
  out.has_addresses = true;
}

}  // namespace

ProxyRead read_proxy_line(std::string_view bytes, ProxyHeader& out) {
  const std::string_view in = bytes.substr(0, kMaxLineBytes);
  ProxyHeader header;
  LineReader line(in);
  read_line(line, header);
  if (line.state() == LineReader::State::wrong) return {ProxyRead::Kind::failed, 0, line.why()};
  if (line.state() == LineReader::State::out_of_bytes) {
    const bool has_room = in.size() + 2 <= kMaxLineBytes || (in.size() + 1 == kMaxLineBytes && in.back() == '\r');
    if (!has_room) return {ProxyRead::Kind::failed, 0, "a PROXY line is too long"};
    return {ProxyRead::Kind::incomplete};
  }
  out = header;
  return {ProxyRead::Kind::complete, static_cast<uint32_t>(in.size() - line.left())};
}

PeerIp mapped_ipv4(const void* ipv4) {
  PeerIp ip;
  ip.bytes[10] = ip.bytes[11] = 0xff;
  memcpy(ip.bytes + 12, ipv4, 4);
  return ip;
}

}  // namespace weir
