// Whatever a ClientHello holds and however it is cut: one answer that more bytes do not change, and facts that keep their promises.
// Input    byte 0: what the rest is: wire bytes, or a message's content or a list of extensions to which the right lengths are added;
//          byte 1: seed of prefixes and cuts.
#include "tls/client_hello.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

using namespace weir;

namespace {

using Kind = HelloRead::Kind;

void require(bool holds) {
  if (!holds) abort();
}

struct Outcome {
  HelloRead read{Kind::incomplete};
  ClientHello hello;
};

// In an allocation of its own, so that a read past the end is caught.
Outcome read_prefix(const std::string& wire, size_t size) {
  const auto exact = std::make_unique<char[]>(size);
  std::memcpy(exact.get(), wire.data(), size);
  Outcome out;
  out.hello = {"left over", "left over"};
  out.read = read_client_hello({exact.get(), size}, out.hello);
  require((out.read.kind == Kind::failed) == (out.read.why != nullptr));
  if (out.read.kind != Kind::complete) require(out.hello.server_name.empty() && out.hello.alpn.empty());
  return out;
}

void same(const Outcome& a, const Outcome& b) {
  require(a.read.kind == b.read.kind && a.hello.server_name == b.hello.server_name && a.hello.alpn == b.hello.alpn);
}

struct Random {
  uint32_t state;
  size_t below(size_t n) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
  }
};

std::string number(size_t value, int width) {
  std::string bytes;
  while (width-- > 0) bytes += static_cast<char>(value >> (8 * width));
  return bytes;
}

std::string vec(int width, const std::string& content) { return number(content.size(), width) + content; }

std::string cut(const std::string& message, Random random, size_t most) {
  std::string wire;
  for (size_t at = 0; at < message.size();) {
    const std::string piece = message.substr(at, 1 + random.below(most));
    wire += "\x16\x03" + number(random.below(256), 1) + vec(2, piece);
    at += piece.size();
  }
  return wire;
}

std::string wire_from(uint8_t form, const std::string& input, Random random) {
  const std::string parts = "\x03\x03" + std::string(32, 'r') + vec(1, "") + vec(2, "\x13\x01") + vec(1, std::string(1, 0));
  if (form % 4 == 1) return cut("\x01" + vec(3, input), random, 16384);
  if (form % 4 == 2) return cut("\x01" + vec(3, parts + vec(2, input)), random, 16384);
  if (form % 4 == 3) return cut("\x01" + vec(3, parts + vec(2, input)), random, 40);
  return input;
}

// The handshake bytes of a complete hello, records taken off.
std::string message_of(const std::string& wire) {
  std::string message;
  const auto at = [](const std::string& bytes, size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  for (size_t i = 0; i + 5 <= wire.size();) {
    const size_t size = at(wire, i + 3) << 8 | at(wire, i + 4);
    message += wire.substr(i + 5, size);
    if (message.size() >= 4 && message.size() >= 4 + (at(message, 1) << 16 | at(message, 2) << 8 | at(message, 3))) break;
    i += 5 + size;
  }
  return message.substr(0, 4 + (at(message, 1) << 16 | at(message, 2) << 8 | at(message, 3)));
}

// The least number of bytes that are answered as all of them are; below it every prefix must be incomplete.
size_t answered_with(const std::string& wire, const Outcome& all) {
  size_t low = 0, high = wire.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const Outcome out = read_prefix(wire, middle);
    require(out.read.kind == Kind::incomplete || out.read.kind == all.read.kind);
    if (out.read.kind == Kind::incomplete) low = middle + 1;
    else high = middle;
  }
  return high;
}

void check_prefixes(const std::string& wire, const Outcome& all, Random random) {
  const size_t answered = all.read.kind == Kind::incomplete ? wire.size() + 1 : answered_with(wire, all);
  for (int i = 0; i < 24; ++i) {
    const size_t size = i == 0 && answered <= wire.size() ? answered : random.below(wire.size() + 1);
    const Outcome out = read_prefix(wire, size);
    if (size < answered) require(out.read.kind == Kind::incomplete);
    else same(out, all);
  }
}

// Facts that hold for every hello that was let through.
void check_hello(const ClientHello& hello) {
  const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const std::string &name = hello.server_name, &alpn = hello.alpn;
  require(name.size() <= 255 && (name.empty() || name.back() != '.'));
  require(std::all_of(name.begin(), name.end(), is_visible) && std::none_of(name.begin(), name.end(), is_capital));
  require(std::all_of(alpn.begin(), alpn.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  require(alpn.find(",,") == std::string::npos && (alpn.empty() || (alpn.front() != ',' && alpn.back() != ',')));
}

void check_recut(const std::string& wire, const Outcome& all, Random random) {
  const std::string message = message_of(wire);
  for (size_t most : {size_t{1}, size_t{9}, size_t{700}, size_t{16384}}) {
    const std::string other = cut(message, random, most);
    if (other.size() > kMaxHelloBytes) continue;
    same(read_prefix(other, other.size()), all);
    require(read_prefix(other, other.size() - 1).read.kind == Kind::incomplete);
    const std::string followed = cut(message + "next", random, most) + wire;
    if (followed.size() <= kMaxHelloBytes) same(read_prefix(followed, followed.size()), all);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 8192) return 0;
  const Random random{data[1]};
  const std::string wire = wire_from(data[0], std::string(data + 2, data + size), random);
  const Outcome all = read_prefix(wire, wire.size());
  same(all, read_prefix(wire, wire.size()));
  check_prefixes(wire, all, random);
  if (all.read.kind != Kind::complete) return 0;
  check_hello(all.hello);
  check_recut(wire, all, random);
  return 0;
}
