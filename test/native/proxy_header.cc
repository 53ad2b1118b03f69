// What the PROXY protocol lets through, byte by byte, and what it refuses.
#include "loop/proxy_header.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "check.h"

using namespace weir;
using namespace std::string_literals;

namespace {

using Kind = ProxyRead::Kind;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

// Feeds one byte more at a time. Where the reader decided, it must stay with it, however much follows.
struct Outcome {
  Kind kind = Kind::incomplete;
  size_t at = 0;  // bytes that were there when it decided
  std::string why;
  ProxyHeader header;
};

Outcome feed(const std::string& bytes) {
  Outcome out;
  for (size_t n = 0; n <= bytes.size(); ++n) {
    const std::string_view part = std::string_view(bytes).substr(0, n);
    ProxyHeader header;
    const ProxyRead read = read_proxy_header(part, header);
    if (out.kind != Kind::incomplete) {
      CHECK_EQ(read.kind, out.kind);
    } else if (read.kind != Kind::incomplete) {
      out = {read.kind, n, read.why ? read.why : "", header};
    }
    if (read.kind == Kind::complete) CHECK_EQ(read.bytes, out.at);
    CHECK_EQ(read.why != nullptr, read.kind == Kind::failed);
    if (read.kind != Kind::complete) CHECK(!header.has_addresses && header.tlvs.empty());
  }
  return out;
}

std::string text_of(const PeerIp& ip) {
  char out[48];
  return std::string(out, ip.print(out));
}

// "source port > destination port", "none" or why not.
std::string told(const Outcome& out) {
  if (out.kind == Kind::incomplete) return "incomplete";
  if (out.kind == Kind::failed) return out.why;
  if (!out.header.has_addresses) return "none";
  const ProxyAddresses& a = out.header.addresses;
  const auto shown = [](const PeerIp& ip, uint16_t port) { return text_of(ip) + " " + std::to_string(port); };
  return shown(a.source, a.source_port) + " > " + shown(a.destination, a.destination_port);
}

// The header must be complete with its last byte and not read what follows.
std::string accepted(const std::string& header) {
  const Outcome out = feed(header + "GET / HTTP/1.1\r\n"), zeros = feed(header + "\0\0\0\0"s);
  CHECK_EQ(out.at, header.size());
  CHECK_EQ(told(out), told(zeros));
  return told(out);
}

// The bytes must fail with their last one, and not before.
std::string refused_at_last_byte(const std::string& bytes) {
  const Outcome out = feed(bytes + "00000000");
  if (out.kind != Kind::failed || out.at != bytes.size())
    check::report(__FILE__, __LINE__, check::show(bytes) + ": " + told(out) + " at " + std::to_string(out.at));
  return told(out);
}

std::string u16(size_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string v2(int version_and_command, int family, const std::string& payload) {
  return kSignature + static_cast<char>(version_and_command) + static_cast<char>(family) + u16(payload.size()) + payload;
}
std::string tlv(int type, const std::string& value) { return static_cast<char>(type) + u16(value.size()) + value; }

const std::string kTcp4Payload = "\xc0\x00\x02\x01\xc6\x33\x64\x02\xd4\x31\x01\xbb"s;
constexpr const char* kTcp4Told = "192.0.2.1 54321 > 198.51.100.2 443";

// Bit by bit, unlike the table of the reader.
uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

const std::string kNoChecksum = tlv(3, "\0\0\0\0"s);

// Puts the checksum where `header` has kNoChecksum.
std::string checked(std::string header) {
  const size_t at = header.find(kNoChecksum) + 3;
  const uint32_t crc = crc32c(header);
  return header.replace(at, 4, u16(crc >> 16) + u16(crc & 0xffff));
}

uint32_t next_random(uint32_t& seed) { return (seed = seed * 1664525u + 1013904223u) >> 8; }

// Any address of the family; of IPv6 ones many have runs of zeros, which print as "::".
PeerIp random_ip(uint32_t& seed, bool v4) {
  PeerIp ip;
  for (int i = v4 ? 12 : 0; i < 16; ++i) ip.bytes[i] = next_random(seed) & 1 ? static_cast<unsigned char>(next_random(seed)) : 0;
  if (v4) ip.bytes[10] = ip.bytes[11] = 0xff;
  return ip;
}

std::string written(ProxyVersion version, const ProxyAddresses* addresses) {
  char out[kMaxSentProxyHeaderBytes + 1];
  memset(out, '#', sizeof out);
  const size_t n = write_proxy_header(version, addresses, out);
  CHECK(n <= kMaxSentProxyHeaderBytes);
  CHECK_EQ(out[n], '#');
  return std::string(out, n);
}

std::string written_local(ProxyVersion version) {
  char out[kMaxSentProxyHeaderBytes];
  return std::string(out, write_local_proxy_header(version, out));
}

}  // namespace

TEST("a PROXY line gives its addresses and leaves what follows") {
  CHECK_EQ(accepted("PROXY TCP4 192.0.2.1 198.51.100.2 54321 443\r\n"), kTcp4Told);
  CHECK_EQ(accepted("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0 0 > 255.255.255.255 65535");
  CHECK_EQ(accepted("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "2001:db8::1 1 > ::1 2");
  CHECK_EQ(accepted("PROXY TCP6 :: 1:2:3:4:5:6:7:8 1 2\r\n"), ":: 1 > 1:2:3:4:5:6:7:8 2");
  CHECK_EQ(accepted("PROXY TCP6 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1 2\r\n"), "1:2:3:4:5:6:7:0 1 > 0:2:3:4:5:6:7:8 2");
  CHECK_EQ(accepted("PROXY TCP6 FE80::aBcD:0001 1::3:4:5:6:7:8 1 2\r\n"), "fe80::abcd:1 1 > 1:0:3:4:5:6:7:8 2");
  CHECK_EQ(accepted("PROXY TCP6 ::ffff:192.0.2.1 1:2:3:4:5:6:1.2.3.4 1 2\r\n"), "192.0.2.1 1 > 1:2:3:4:5:6:102:304 2");
  CHECK_EQ(accepted("PROXY TCP6 ::2:3:4:5:1.2.3.4 64:ff9b::1.2.3.4 1 2\r\n"), "::2:3:4:5:102:304 1 > 64:ff9b::102:304 2");
}

TEST("UNKNOWN gives no addresses, whatever it says until CRLF") {
  CHECK_EQ(accepted("PROXY UNKNOWN\r\n"), "none");
  CHECK_EQ(accepted("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "none");
  CHECK_EQ(accepted("PROXY UNKNOWN \x00\x01\xff TCP4\r\n"s), "none");
}

TEST("a PROXY line has at most 107 bytes") {
  const std::string start = "PROXY UNKNOWN ";
  CHECK_EQ(accepted(start + std::string(105 - start.size(), 'x') + "\r\n"), "none");
  CHECK_EQ(refused_at_last_byte(start + std::string(106 - start.size(), 'x')), "a PROXY line is too long");
  const std::string full = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  CHECK_EQ(full.size(), 104u);
  CHECK(accepted(full).ends_with("65535"));
  const std::string mapped = "0000:0000:0000:0000:0000:ffff:255.255.255.255";
  const std::string too_long = "PROXY TCP6 " + mapped + " " + mapped + " 1 22222";
  CHECK_EQ(refused_at_last_byte(too_long.substr(0, 106)), "a PROXY line is too long");
}

TEST("a PROXY line fails with the first wrong byte") {
  for (const char* bad : {"G", "\n", " ", "p", "PROXy", "PROXY\t", "PROXY\r", "PROXY  ", "PROXY t", "PROXY UD", "PROXY UNKNOWM",
                          "PROXY TCP5", "PROXY TCP\r", "PROXY TCP4\r", "PROXY TCP4\t", "PROXY TCP6\n"})
    refused_at_last_byte(bad);
  CHECK_EQ(refused_at_last_byte("\xff"), "not a PROXY header");
  CHECK_EQ(refused_at_last_byte("PROXY UNKNOWN\n"), "a PROXY line ends without CR");
  CHECK_EQ(refused_at_last_byte("PROXY UNKNOWN x\n"), "a PROXY line ends without CR");
  CHECK_EQ(refused_at_last_byte("PROXY UNKNOWN\rx"), "CR without LF in a PROXY line");
  CHECK_EQ(refused_at_last_byte("PROXY UNKNOWN x\r\r"), "CR without LF in a PROXY line");
}

TEST("malformed IPv4 addresses are refused") {
  for (const char* bad : {" ", ".", "-", "a", "256", "1000", "01", "00", "1..", "1 ", "1.2 ", "1.2.3 ", "1.2.3.4.", "1.2.3.4:",
                          "1.2.3.04", "1.2.3.4\t", "1.2.3.4\r", ":", "1.2.3.4  ", "1.2.3.4 x", "1.2.3.4 5.6.7.8\r", "1.2.3.4 5.6.7.256"})
    CHECK_EQ(refused_at_last_byte("PROXY TCP4 "s + bad), "bad IPv4 address in a PROXY line");
}

TEST("malformed IPv6 addresses are refused") {
  for (const char* bad : {" ", ".", "g", "[", ":1", ": ", ":::", "1 ", "1:2:3:4:5:6:7 ", "1: ", "12345", "1:2:3:4:5:6:7:8:",
                          "1:2:3:4:5:6:7::8", "1::2::", "1:::", "::1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:::", "1.", "1:2:3:4:5:1.",
                          "1:2:3:4:5:6:7:1.", "1:2:3:4:5:6::1.", "::1:2:3:4:5:6:7.", "::a.", "::256.", "::01.", "::1.2.3.256", "::1.2.3 ",
                          "::1.2.3.4:", "::1.2.3.4.", "fe80::1%", "::1\r", "::1  "})
    CHECK_EQ(refused_at_last_byte("PROXY TCP6 "s + bad), "bad IPv6 address in a PROXY line");
}

TEST("malformed ports are refused") {
  const std::string start = "PROXY TCP4 1.2.3.4 5.6.7.8 ";
  for (const char* bad : {" ", "+", "-", "x", "65536", "100000", "00", "01", "0x", "1\r", "1\t", "1  ", "1 65536", "1 -"})
    CHECK_EQ(refused_at_last_byte(start + bad), "bad port in a PROXY line");
  for (const char* bad : {"1 2 ", "1 2\n", "1 2\r\r", "1 2\rx", "1 0\t", "1 00", "1 01"})
    CHECK_EQ(refused_at_last_byte(start + bad), "a PROXY line does not end in CRLF after its ports");
}

TEST("a version 2 header gives its addresses and TLVs") {
  CHECK_EQ(accepted(v2(0x21, 0x11, kTcp4Payload)), kTcp4Told);
  const std::string tcp6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"s + std::string(15, '\0') + "\x02\x12\x34\xff\xff"s;
  CHECK_EQ(accepted(v2(0x21, 0x21, tcp6)), "2001:db8::1 4660 > ::2 65535");
  const std::string tlvs = tlv(1, "h2") + tlv(4, "") + tlv(2, "example.org") + tlv(1, "second") + tlv(0xff, "");
  const std::string bytes = v2(0x21, 0x11, kTcp4Payload + tlvs);
  CHECK_EQ(accepted(bytes), kTcp4Told);
  const std::string_view found = feed(bytes).header.tlvs;
  CHECK_EQ(found, tlvs);
  CHECK_EQ(find_tlv(found, 1).value_or("no"), "h2");
  CHECK_EQ(find_tlv(found, 2).value_or("no"), "example.org");
  CHECK_EQ(find_tlv(found, 0xff).value_or("no"), "");
  CHECK(!find_tlv(found, 3));
}

TEST("the other families of version 2 give TLVs, but no addresses") {
  const std::string name = tlv(2, "a.example");
  for (const auto& [family, size] : {std::pair{0x00, 0}, {0x12, 12}, {0x22, 36}, {0x31, 216}, {0x32, 216}}) {
    const std::string bytes = v2(0x21, family, std::string(static_cast<size_t>(size), '\x7f') + name);
    CHECK_EQ(accepted(bytes), "none");
    CHECK_EQ(feed(bytes).header.tlvs, name);
  }
}

TEST("what follows UNSPEC need not be TLVs") {
  CHECK_EQ(accepted(v2(0x21, 0x00, "")), "none");
  for (const std::string& payload : {"x"s, "\x02\x00\x09"s, tlv(2, "a") + "\x03"s, tlv(3, "12345") + "??", kNoChecksum + "?"}) {
    const Outcome out = feed(v2(0x21, 0x00, payload));
    CHECK_EQ(accepted(v2(0x21, 0x00, payload)), "none");
    CHECK(out.header.tlvs.empty());
  }
}

TEST("a LOCAL header is skipped unread") {
  for (int family : {0x00, 0x11, 0x21, 0x31, 0x99})
    for (const std::string& payload : {""s, "x"s, kTcp4Payload + kNoChecksum, std::string(300, '\xff')}) {
      CHECK_EQ(accepted(v2(0x20, family, payload)), "none");
      CHECK(feed(v2(0x20, family, payload)).header.tlvs.empty());
    }
}

TEST("a version 2 header fails with the first wrong byte") {
  for (size_t i = 1; i < kSignature.size(); ++i) {
    const std::string wrong = kSignature.substr(0, i) + static_cast<char>(kSignature[i] ^ 0x20);
    CHECK_EQ(refused_at_last_byte(wrong), "not a PROXY header");
  }
  for (int byte : {0x01, 0x11, 0x31, 0xf1, 0x00})
    CHECK_EQ(refused_at_last_byte(kSignature + static_cast<char>(byte)), "unknown version of a PROXY header");
  for (int byte : {0x22, 0x23, 0x2f})
    CHECK_EQ(refused_at_last_byte(kSignature + static_cast<char>(byte)), "unknown command in a PROXY header");
  for (int family : {0x01, 0x02, 0x10, 0x13, 0x20, 0x23, 0x30, 0x33, 0x41, 0xff})
    CHECK_EQ(refused_at_last_byte(kSignature + "\x21" + static_cast<char>(family)), "unknown address family in a PROXY header");
  for (const auto& [family, size] : {std::pair{0x11, 12}, {0x21, 36}, {0x12, 12}, {0x22, 36}, {0x31, 216}, {0x32, 216}})
    CHECK_EQ(refused_at_last_byte(kSignature + "\x21" + static_cast<char>(family) + u16(static_cast<size_t>(size) - 1)),
             "a PROXY header is too short for its addresses");
}

TEST("a version 2 header is at most as long as the limit") {
  const size_t most = kMaxProxyHeaderBytes - 16;
  const std::string start = v2(0x21, 0x11, kTcp4Payload + tlv(0x30, std::string(most - 12 - 3, 'x')));
  ProxyHeader header;
  CHECK(read_proxy_header(start, header).kind == Kind::complete);
  CHECK_EQ(header.tlvs.size(), most - 12);
  CHECK(read_proxy_header(std::string_view(start).substr(0, start.size() - 1), header).kind == Kind::incomplete);
  for (int command : {0x20, 0x21}) {
    const std::string fixed = kSignature + static_cast<char>(command) + "\x11";
    CHECK_EQ(refused_at_last_byte(fixed + u16(most + 1)), "a PROXY header is too long");
    CHECK_EQ(refused_at_last_byte(fixed + "\x40"), "a PROXY header is too long");
  }
}

TEST("TLVs that do not fit fail as soon as it shows") {
  const char* why = "the TLVs of a PROXY header do not fit";
  const auto start = [](size_t tlv_bytes) { return kSignature + "\x21\x11" + u16(12 + tlv_bytes) + kTcp4Payload; };
  for (size_t stray : {1u, 2u}) CHECK_EQ(refused_at_last_byte(start(stray).substr(0, 16)), why);
  CHECK_EQ(refused_at_last_byte(start(4) + "\x02" + u16(2)), why);
  CHECK_EQ(refused_at_last_byte(start(200) + "\x02\x01"), why);
  CHECK_EQ(refused_at_last_byte(start(9) + tlv(2, "abc") + "\x02" + u16(1)), why);
  CHECK_EQ(refused_at_last_byte(start(8) + "\x02" + u16(3)), why);
  CHECK_EQ(accepted(start(4) + tlv(2, "a")), kTcp4Told);
}

TEST("the checksum of a version 2 header is verified") {
  CHECK_EQ(crc32c("123456789"), 0xe3069283u);
  CHECK_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  const std::string known = v2(0x21, 0x11, kTcp4Payload + tlv(3, "\x06\xa4\xcf\x1d") + tlv(4, "\xaa"));
  CHECK_EQ(accepted(known), kTcp4Told);
  const std::string large = tlv(0x30, std::string(500, '\xc3'));
  for (const std::string& tlvs : {kNoChecksum, kNoChecksum + tlv(2, "after"), tlv(2, "before") + kNoChecksum + large}) {
    const std::string bytes = checked(v2(0x21, 0x11, kTcp4Payload + tlvs));
    CHECK_EQ(accepted(bytes), kTcp4Told);
    for (size_t i = 16; i < 28; ++i) {
      std::string wrong = bytes;
      wrong[i] ^= 0x04;
      CHECK_EQ(refused_at_last_byte(wrong), "a PROXY header's checksum is wrong");
    }
  }
  CHECK_EQ(accepted(checked(v2(0x21, 0x00, kNoChecksum))), "none");
  CHECK_EQ(refused_at_last_byte(v2(0x21, 0x00, kNoChecksum)), "a PROXY header's checksum is wrong");
}

TEST("a checksum of the wrong length, or a second one, is refused as soon as it shows") {
  const char* why = "a PROXY header's checksum is malformed";
  const std::string start = kSignature + "\x21\x11" + u16(12 + 600) + kTcp4Payload;
  for (size_t size : {0u, 3u, 5u}) CHECK_EQ(refused_at_last_byte(start + "\x03" + u16(size)), why);
  CHECK_EQ(refused_at_last_byte(start + "\x03\x01"), why);
  CHECK_EQ(refused_at_last_byte(start + kNoChecksum + "\x03"), why);
  CHECK_EQ(refused_at_last_byte(v2(0x21, 0x00, tlv(3, "123"))), why);
}

TEST("a TLV is looked for within the bytes only") {
  for (const std::string& cut : {""s, "\x02"s, "\x02\x00"s, "\x02\x00\x01"s, "\x02\xff\xff abc"s, "\x01\x00\x00\x02\x00\x02z"s}) {
    const std::vector<char> exact(cut.begin(), cut.end());
    CHECK(!find_tlv({exact.data(), exact.size()}, 2));
  }
}

TEST("what is written reads back as the same addresses") {
  uint32_t seed = 20;
  for (int i = 0; i < 2000; ++i) {
    const bool source_v4 = i & 1, destination_v4 = i & 2;
    ProxyAddresses a{random_ip(seed, source_v4), random_ip(seed, destination_v4), static_cast<uint16_t>(next_random(seed)),
                     static_cast<uint16_t>(next_random(seed))};
    const std::string line = written(ProxyVersion::v1, &a), binary = written(ProxyVersion::v2, &a);
    CHECK(line.starts_with(source_v4 && destination_v4 ? "PROXY TCP4 " : "PROXY TCP6 "));
    CHECK_EQ(binary.size(), source_v4 && destination_v4 ? 28u : 52u);
    for (const std::string& bytes : {line, binary}) {
      const Outcome out = feed(bytes);
      CHECK(out.kind == Kind::complete && out.at == bytes.size() && out.header.has_addresses);
      CHECK(memcmp(out.header.addresses.source.bytes, a.source.bytes, 16) == 0);
      CHECK(memcmp(out.header.addresses.destination.bytes, a.destination.bytes, 16) == 0);
      CHECK_EQ(out.header.addresses.source_port, a.source_port);
      CHECK_EQ(out.header.addresses.destination_port, a.destination_port);
    }
  }
}

TEST("headers are written as the protocol has them") {
  ProxyAddresses a{{}, {}, 54321, 443};
  CHECK(PeerIp::parse("192.0.2.1", a.source) && PeerIp::parse("198.51.100.2", a.destination));
  CHECK_EQ(written(ProxyVersion::v1, &a), "PROXY TCP4 192.0.2.1 198.51.100.2 54321 443\r\n");
  CHECK_EQ(written(ProxyVersion::v2, &a), v2(0x21, 0x11, kTcp4Payload));
  CHECK(PeerIp::parse("2001:db8::1", a.destination));
  CHECK_EQ(written(ProxyVersion::v1, &a), "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 54321 443\r\n");
  CHECK_EQ(written(ProxyVersion::off, &a), "");
  for (const ProxyVersion version : {ProxyVersion::off, ProxyVersion::v1}) CHECK_EQ(written(version, nullptr), written_local(version));
  CHECK_EQ(written(ProxyVersion::off, nullptr), "");
  CHECK_EQ(written(ProxyVersion::v1, nullptr), "PROXY UNKNOWN\r\n");
  CHECK_EQ(written(ProxyVersion::v2, nullptr), v2(0x21, 0x00, ""));
  CHECK_EQ(written_local(ProxyVersion::v2), v2(0x20, 0x00, ""));
}
