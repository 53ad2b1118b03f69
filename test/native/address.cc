// Addresses of peers, and the ranges that say which of them are trusted.
#include <string>

#include "check.h"
#include "loop/address.h"

using namespace weir;

namespace {

std::string parsed(std::string_view text) {
  PeerIp ip;
  if (!PeerIp::parse(text, ip)) return "no";
  char out[48];
  return std::string(out, ip.print(out));
}

bool contains(std::string_view range, std::string_view address) {
  CidrList list;
  PeerIp ip;
  CHECK(list.add(range));
  CHECK(PeerIp::parse(address, ip));
  return list.contains(ip);
}

bool taken(std::string_view range) {
  CidrList list;
  return list.add(range);
}

}  // namespace

TEST("an address is read with and without a port, and printed in its usual form") {
  CHECK_EQ(parsed("10.0.0.1"), "10.0.0.1");
  CHECK_EQ(parsed(" 255.250.5.0\t"), "255.250.5.0");
  CHECK_EQ(parsed("10.0.0.1:8080"), "10.0.0.1");
  CHECK_EQ(parsed("[::1]:8080"), "::1");
  CHECK_EQ(parsed("[2001:DB8:0:0::1]"), "2001:db8::1");
  CHECK_EQ(parsed("2001:db8::1"), "2001:db8::1");
  CHECK_EQ(parsed("::ffff:10.0.0.1"), "10.0.0.1");
}

TEST("what is no address is refused") {
  for (const char* bad : {"", " ", "10.0.0", "10.0.0.256", "1.2.3.4.5", "unknown", "_hidden", "[::1", "]", "[]", ":", "::g", "10.0.0.1/8", "010.0.0.1x"})
    CHECK_EQ(parsed(bad), "no");
  CHECK_EQ(parsed(std::string(200, '1')), "no");
}

TEST("a range holds its addresses and no others, at every width") {
  CHECK(contains("10.0.0.0/8", "10.255.255.255") && !contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("10.1.2.128/25", "10.1.2.200") && !contains("10.1.2.128/25", "10.1.2.127"));
  CHECK(contains("10.1.2.3", "10.1.2.3") && !contains("10.1.2.3", "10.1.2.2"));
  CHECK(contains("0.0.0.0/0", "255.1.2.3") && !contains("0.0.0.0/0", "::1"));
  CHECK(contains("::/0", "10.0.0.1") && contains("::/0", "fe80::1"));
  CHECK(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe00::1"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::") && !contains("2001:db8::/33", "2001:db8:8000::"));
  CHECK(contains("::1", "::1") && !contains("::1", "::2"));
  for (unsigned bits = 1; bits <= 32; ++bits) {
    const std::string range = "255.255.255.255/" + std::to_string(bits);
    const uint32_t outside = 0xffffffffu ^ (1u << (32 - bits));
    char text[16];
    std::snprintf(text, sizeof text, "%u.%u.%u.%u", outside >> 24, outside >> 16 & 255, outside >> 8 & 255, outside & 255);
    CHECK(contains(range, "255.255.255.255") && !contains(range, text));
  }
}

TEST("what is no range is refused") {
  for (const char* bad : {"", "/", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/a", "10.0.0.0/-1", "10.0.0/8", "x/8", "10.0.0.0/8/8", "10.0.0.0/1000"})
    CHECK(!taken(bad));
  CidrList none;
  PeerIp ip;
  CHECK(none.empty() && !none.contains(ip));
}

TEST("an address of a socket is what was asked for") {
  Address at;
  CHECK(Address::from_ip("127.0.0.1", 80, at));
  CHECK_EQ(at.family(), AF_INET);
  CHECK(Address::from_ip("::1", 80, at));
  CHECK_EQ(at.family(), AF_INET6);
  CHECK(!Address::from_ip("localhost", 80, at));
  CHECK(Address::from_path("/run/x.sock", at));
  CHECK_EQ(at.family(), AF_UNIX);
  CHECK(!Address::from_path("", at));
  CHECK(Address::from_path(std::string(107, 'x'), at));
  CHECK(!Address::from_path(std::string(108, 'x'), at));
}
