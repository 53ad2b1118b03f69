// What is read from a TLS ClientHello, however its records are cut, and what is refused at which byte.
#include "tls/client_hello.h"

#include <string>

#include "check.h"

using namespace weir;
using namespace std::string_literals;

namespace {

using Kind = HelloRead::Kind;

// --- Hellos are built inside out.

std::string number(size_t value, int width) {
  std::string bytes;
  while (width-- > 0) bytes += static_cast<char>(value >> (8 * width));
  return bytes;
}

std::string vec(int width, const std::string& content) { return number(content.size(), width) + content; }

std::string extension(size_t type, const std::string& data) { return number(type, 2) + vec(2, data); }

std::string name_entry(const std::string& name, size_t type = 0) { return number(type, 1) + vec(2, name); }

std::string names(const std::string& entries) { return extension(0, vec(2, entries)); }

std::string sni(const std::string& name) { return names(name_entry(name)); }

std::string alpn(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) list += vec(1, protocol);
  return extension(16, vec(2, list));
}

const std::string kVersionAndRandom = "\x03\x03" + std::string(32, 'r');
const std::string kUsualParts = kVersionAndRandom + vec(1, std::string(32, 's')) + vec(2, "\x13\x01\xc0\x2f") + vec(1, "\0"s);
const std::string kKeyShare = extension(51, std::string(300, 'k'));  // an extension that is skipped

std::string body(const std::string& extensions) { return kUsualParts + vec(2, extensions); }

std::string message(const std::string& content) { return "\x01" + vec(3, content); }

std::string record(const std::string& content) { return "\x16\x03\x01" + vec(2, content); }

std::string records(const std::string& content, size_t size) {
  std::string wire;
  for (size_t at = 0; at < content.size(); at += size) wire += record(content.substr(at, size));
  return wire;
}

std::string hello(const std::string& extensions) { return record(message(body(extensions))); }

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return bytes;
}

// --- And read in every prefix, each in memory of its own.

struct Read {
  Kind kind = Kind::incomplete;
  size_t bytes = 0;  // how many there were when the answer came
  std::string why, server_name, alpn;
};

Read read_at_once(const std::string& wire) {
  ClientHello out{"left over", "left over"};
  const std::vector<char> exact(wire.begin(), wire.end());
  const HelloRead read = read_client_hello({exact.data(), exact.size()}, out);
  CHECK_EQ(read.why != nullptr, read.kind == Kind::failed);
  if (read.kind != Kind::complete) CHECK(out.server_name.empty() && out.alpn.empty());
  return {read.kind, wire.size(), read.why ? read.why : "", out.server_name, out.alpn};
}

// One byte more each time; an answer must not change when more bytes come.
Read read(const std::string& wire) {
  Read first;
  for (size_t size = 0; size <= wire.size() && first.kind == Kind::incomplete; ++size) first = read_at_once(wire.substr(0, size));
  const Read whole = read_at_once(wire), more = read_at_once(wire + "more");
  if (first.kind == Kind::incomplete) return first;
  CHECK_EQ(whole.kind, first.kind);
  CHECK_EQ(more.kind, first.kind);
  CHECK_EQ(more.server_name, first.server_name);
  CHECK_EQ(more.alpn, first.alpn);
  return first;
}

std::string why(const std::string& wire) {
  const Read r = read(wire);
  CHECK_EQ(r.kind, Kind::failed);
  return r.why;
}

std::string server_name(const std::string& wire) {
  const Read r = read(wire);
  CHECK_EQ(r.kind, Kind::complete);
  return r.server_name;
}

// The answer must come with this byte and no earlier, and must be a refusal.
std::string why_after(size_t bytes, const std::string& wire) {
  const Read r = read(wire);
  CHECK_EQ(r.kind, Kind::failed);
  CHECK_EQ(r.bytes, bytes);
  return r.why;
}

// `openssl s_client` 3.0: -tls1_2 -servername WWW.Example.com -alpn h2,http/1.1
const char* const kOpenssl12 =
    "16030100e1010000dd0303c0be15cd9b04f2fe10ea4d667a3bf0319f8ad4e896a1e5b33a4197a538301f12000038c02cc030009fcca9cca8ccaac02bc02f009e"
    "c024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff0100007c00000014001200000f5757572e4578616d706c652e63"
    "6f6d000b000403000102000a000c000a001d0017001e00190018002300000010000e000c02683208687474702f312e310016000000170000000d002a00280403"
    "05030603080708080809080a080b080408050806040105010601030303010302040205020602";
// -tls1_3 -servername api.example.com -alpn h2,http/1.1
const char* const kOpenssl13 =
    "16030101060100010203034bb51064cfc923257b185608726cb63f43a1014409260b48ce1375a1ef3254b6203ced9d77a54efc86ddc69dec93a4964173009222"
    "89cd3652baafba81d9035a20000813021303130100ff010000b100000014001200000f6170692e6578616d706c652e636f6d000b000403000102000a00160014"
    "001d0017001e0019001801000101010201030104002300000010000e000c02683208687474702f312e310016000000170000000d001e001c0403050306030807"
    "08080809080a080b080408050806040105010601002b0003020304002d00020101003300260024001d0020b187965eacb3e19a9cf64c12bcc5399e7ac40a9df3"
    "5268e6b7c88a8978631d3f";
// -tls1_2 -noservername -cipher ECDHE-RSA-AES128-GCM-SHA256
const char* const kOpensslUnnamed =
    "16030100830100007f0303be3be5215ea0d35e587bdd6f1065118885b277d1043e4e079a244b4aa9d0567c000004c02f00ff01000052000b000403000102000a"
    "000c000a001d0017001e00190018002300000016000000170000000d002a0028040305030603080708080809080a080b08040805080604010501060103030301"
    "0302040205020602";

}  // namespace

TEST("hellos of OpenSSL give their server name and protocols with their last byte") {
  struct {
    const char* hex;
    const char* server_name;
    const char* alpn;
  } const cases[] = {
      {kOpenssl12, "www.example.com", "h2,http/1.1"},
      {kOpenssl13, "api.example.com", "h2,http/1.1"},
      {kOpensslUnnamed, "", ""},
  };
  for (const auto& one : cases) {
    const std::string wire = from_hex(one.hex);
    const Read r = read(wire);
    CHECK_EQ(r.kind, Kind::complete);
    CHECK_EQ(r.bytes, wire.size());
    CHECK_EQ(r.server_name, one.server_name);
    CHECK_EQ(r.alpn, one.alpn);
  }
}

TEST("a hello may be cut into records anywhere") {
  const std::string whole = from_hex(kOpenssl13), content = whole.substr(5);
  for (size_t size : {1, 2, 3, 4, 5, 7, 50, 130, 261}) {
    const std::string wire = records(content, size);
    const Read r = read(wire);
    CHECK_EQ(r.kind, Kind::complete);
    CHECK_EQ(r.bytes, wire.size());
    CHECK_EQ(r.server_name, "api.example.com");
    CHECK_EQ(r.alpn, "h2,http/1.1");
  }
  for (size_t cut = 1; cut < content.size(); ++cut) {
    const Read r = read_at_once(record(content.substr(0, cut)) + record(content.substr(cut)));
    CHECK_EQ(r.server_name, "api.example.com");
  }
}

TEST("what follows the hello does not matter") {
  const std::string content = message(body(sni("a.example")));
  CHECK_EQ(read(record(content)).bytes, record(content).size());
  CHECK_EQ(read(record(content + "the next message")).bytes, 5 + content.size());
  CHECK_EQ(server_name(record(content) + "\x17garbage"), "a.example");
  CHECK_EQ(server_name(record(content) + std::string(2 * kMaxHelloBytes, 'x')), "a.example");
}

TEST("extensions are optional, and unknown ones are skipped") {
  CHECK_EQ(server_name(record(message(kUsualParts))), "");
  CHECK_EQ(server_name(hello("")), "");
  CHECK_EQ(server_name(hello(kKeyShare + extension(0x0a0a, "") + sni("a.example") + extension(0xfafa, "\0"s) + kKeyShare)), "a.example");
  CHECK_EQ(server_name(hello(extension(21, std::string(200, '\0')) + extension(21, ""))), "");
  CHECK_EQ(server_name(record(message(kVersionAndRandom + vec(1, "") + vec(2, "ab") + vec(1, "\0"s) + vec(2, sni("b"))))), "b");
}

TEST("a hello that ends in bytes which are skipped is complete with the last of them") {
  const std::string wire = hello(sni("a.example") + kKeyShare);
  CHECK_EQ(read(wire).bytes, wire.size());
  const std::string bare = record(message(kUsualParts));
  CHECK_EQ(read(bare).bytes, bare.size());
}

TEST("a server name is lower-cased and loses one final dot") {
  CHECK_EQ(server_name(hello(sni("API.Example.COM"))), "api.example.com");
  CHECK_EQ(server_name(hello(sni("api.example.com."))), "api.example.com");
  CHECK_EQ(server_name(hello(sni("xn--bcher-KVA.example"))), "xn--bcher-kva.example");
  CHECK_EQ(server_name(hello(sni("_x@[`{-~!"))), "_x@[`{-~!");
  CHECK_EQ(server_name(hello(sni(std::string(255, 'N')))), std::string(255, 'n'));
}

TEST("a bad server name fails") {
  const std::string bad[] = {"", ".", "a..", "a\0b"s, "a b", "a\tb", "a\n", "\x7f", "\xc3\xa4.example", std::string(256, 'n')};
  for (const std::string& name : bad) CHECK_EQ(why(hello(sni(name) + kKeyShare)), "bad server name");
  for (int c = 0; c < 256; ++c) {
    const Read r = read_at_once(hello(sni("a"s + static_cast<char>(c) + "b")));
    CHECK_EQ(r.kind, c > 0x20 && c < 0x7f ? Kind::complete : Kind::failed);
  }
}

TEST("names of other types are skipped, and two host names fail") {
  const std::string other = name_entry("\xff\0 "s, 1);
  CHECK_EQ(server_name(hello(names(other + name_entry("a.example") + other))), "a.example");
  CHECK_EQ(server_name(hello(names(other))), "");
  CHECK_EQ(why(hello(names(name_entry("a.example") + other + name_entry("b.example")))), "two server names");
}

TEST("protocols are listed in the client's order, without those that would spoil the list") {
  CHECK_EQ(read(hello(alpn({"h2", "http/1.1"}))).alpn, "h2,http/1.1");
  CHECK_EQ(read(hello(alpn({"\x0a\x0a", "h2", "a,b", "\xfa\xfa", "nul\0"s, "x\x7f", "http/1.1", "\xea\xea"}))).alpn, "h2,http/1.1");
  CHECK_EQ(read(hello(alpn({"\x0a\x0a"}))).alpn, "");
  CHECK_EQ(read(hello(alpn({"two words", std::string(255, 'p')}) + sni("a"))).alpn, "two words," + std::string(255, 'p'));
}

TEST("an extension that routing reads may come once") {
  CHECK_EQ(why(hello(sni("a") + kKeyShare + sni("a"))), "an extension twice");
  CHECK_EQ(why(hello(alpn({"h2"}) + alpn({"h2"}))), "an extension twice");
  CHECK_EQ(why(hello(names(name_entry("x", 1)) + sni("a"))), "an extension twice");
}

TEST("what is not TLS fails with the byte that shows it") {
  CHECK_EQ(why_after(1, "GET / HTTP/1.1\r\n\r\n"), "not TLS");
  CHECK_EQ(why_after(1, "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"s), "not TLS");  // SSLv2
  CHECK_EQ(why_after(1, "\x15\x03\x01\x00\x02\x01\x00"s), "not TLS");                  // an alert
  CHECK_EQ(why_after(1, "PROXY TCP4 "), "not TLS");
  CHECK_EQ(why_after(2, "\x16\x02\x01"), "not TLS");
  CHECK_EQ(why_after(2, "\x16\xfe\xff\x00\x00"s), "not TLS");  // DTLS
  CHECK_EQ(read_at_once("").kind, Kind::incomplete);
  CHECK_EQ(read_at_once("\x16").kind, Kind::incomplete);
  CHECK_EQ(read_at_once("\x16\x03\x63\x00").kind, Kind::incomplete);
}

TEST("a broken record fails with its header") {
  CHECK_EQ(why_after(5, "\x16\x03\x01\x00\x00"s + hello("")), "empty record");
  CHECK_EQ(why_after(5, "\x16\x03\x01\x40\x01\x01"s), "record too long");
  CHECK_EQ(why_after(5, "\x16\x03\x01\xff\xff\x01"s), "record too long");
  CHECK_EQ(read_at_once("\x16\x03\x01\x40\x00\x01"s).kind, Kind::incomplete);
  const std::string content = message(body(sni("a.example"))), head = record(content.substr(0, 60));
  CHECK_EQ(why_after(head.size() + 1, head + "\x15\x03\x01\x00\x02\x01\x00"s), "hello cut by another record");
  CHECK_EQ(why_after(head.size() + 2, head + "\x16\x04\x01\x00\x02\x01\x00"s), "not TLS");
  CHECK_EQ(why_after(head.size() + 5, head + record("") + record(content.substr(60))), "empty record");
}

TEST("another message than a ClientHello fails with its type") {
  for (const char* type : {"\x02", "\x0b", "\x10", "\xff"}) CHECK_EQ(why_after(6, record(type + vec(3, body("")))), "not a ClientHello");
  CHECK_EQ(why_after(6, record("\0\0\0\0"s)), "not a ClientHello");
}

TEST("a hello may fill 64 KiB and no more") {
  // Four full records hold the most that a message can have; the rest is headers.
  const size_t most = kMaxHelloBytes - 4 * 5;
  const size_t padding = most - message(body(sni("a.example") + extension(21, ""))).size();
  const auto padded = [](size_t size) { return message(body(sni("a.example") + extension(21, std::string(size, '\0')))); };
  const std::string fits = records(padded(padding), 16384), beyond = records(padded(padding + 1), 16384);
  CHECK_EQ(fits.size(), size_t{kMaxHelloBytes});
  CHECK_EQ(read_at_once(fits).server_name, "a.example");
  CHECK_EQ(read_at_once(fits.substr(0, fits.size() - 1)).kind, Kind::incomplete);
  CHECK_EQ(read_at_once(beyond.substr(0, 8)).kind, Kind::incomplete);
  CHECK_EQ(read_at_once(beyond.substr(0, 9)).why, "hello too long");
  CHECK_EQ(read_at_once(beyond).why, "hello too long");
  CHECK_EQ(read_at_once("\x16\x03\x01\x40\x00\x01\xff\xff\xff"s).why, "hello too long");
}

TEST("small records cannot stretch a hello beyond 64 KiB") {
  const std::string content = message(body(extension(21, std::string(20000, '\0'))));
  const std::string wire = records(content, 1);
  CHECK(wire.size() > kMaxHelloBytes);
  size_t passed = 0;
  while (read_at_once(wire.substr(0, passed + 6)).kind == Kind::incomplete) passed += 6;
  CHECK_EQ(read_at_once(wire.substr(0, passed + 6)).why, "hello too long");
  // Up to there, two full records could still have brought what was missing.
  const std::string rest = content.substr(passed / 6);
  CHECK(passed + rest.size() + ((rest.size() + 16383) / 16384) * 5 <= kMaxHelloBytes);
  CHECK_EQ(read_at_once(wire.substr(0, passed) + records(rest, 16384)).kind, Kind::complete);
  CHECK_EQ(read_at_once(wire.substr(0, kMaxHelloBytes)).kind, Kind::failed);
}

TEST("every part of the message has the lengths of the standard") {
  const std::string start = kVersionAndRandom, ids = vec(1, ""), ciphers = vec(2, "ab"), none = vec(1, "\0"s);
  const std::string broken[] = {
      "",
      "\x03",
      start.substr(1),
      start,
      start + vec(1, std::string(33, 's')) + ciphers + none,
      start + "\x05" + "four",
      start + ids,
      start + ids + "\0"s,
      start + ids + vec(2, "") + none,
      start + ids + vec(2, "abc") + none,
      start + ids + "\xff\xfe" + "ab" + none,
      start + ids + ciphers,
      start + ids + ciphers + vec(1, ""),
      start + ids + ciphers + "\x02\0"s,
      start + ids + ciphers + none + "\0"s,
      start + ids + ciphers + none + vec(2, "") + "x",
      start + ids + ciphers + none + vec(2, sni("a")) + "x",
      start + ids + ciphers + none + "\0\x04\0\x15\0"s,
      start + ids + ciphers + none + vec(2, "\0"s),
      start + ids + ciphers + none + vec(2, "\0\x15\0"s),
      start + ids + ciphers + none + vec(2, "\0\x15\0\x01"s),
  };
  for (const std::string& content : broken) {
    CHECK_EQ(why(record(message(content))), "wrong length");
    CHECK_EQ(why(records(message(content), 3)), "wrong length");
  }
  CHECK_EQ(read(record(message(start + ids + ciphers + none))).kind, Kind::complete);
}

TEST("the lists of names and protocols fill their extensions exactly") {
  const std::string entry = name_entry("a");
  const std::string broken[] = {
      extension(0, ""),
      extension(0, "\0"s),
      extension(0, vec(2, "")),
      extension(0, vec(2, entry) + "x"),
      extension(0, "\0\x05"s + entry),
      extension(0, vec(2, entry + "\0"s)),
      extension(0, vec(2, entry + "\0\0"s)),
      extension(0, vec(2, "\x01\0\x02y"s)),
      extension(0, vec(2, "\0\0\x02y"s)),
      extension(16, ""),
      extension(16, "\0"s),
      extension(16, vec(2, "")),
      extension(16, vec(2, "\0"s)),
      extension(16, vec(2, vec(1, "h2") + vec(1, ""))),
      extension(16, vec(2, vec(1, "h2") + "\x03h2")),
      extension(16, vec(2, vec(1, "h2")) + "x"),
      extension(16, "\0\x04\x02h2"s),
  };
  for (const std::string& one : broken) {
    CHECK_EQ(why(hello(one + kKeyShare)), "wrong length");
    CHECK_EQ(why(hello(kKeyShare + one)), "wrong length");
  }
}

TEST("a length that lies fails before the bytes that it claims") {
  const size_t names_at = 5 + 4 + kUsualParts.size() + 2;
  std::string wire = hello(sni("a.example") + kKeyShare);
  wire[names_at + 4] = '\x01';  // the list of names, longer than its extension
  CHECK_EQ(why_after(names_at + 6, wire), "wrong length");
  wire = hello(sni(std::string(256, 'n')));
  CHECK_EQ(why_after(names_at + 9, wire), "bad server name");
  wire = record(message(kVersionAndRandom + "\x21"));
  CHECK_EQ(why_after(5 + 4 + 35, wire), "wrong length");
}

TEST("a fault far inside a long hello is found once the hello is whole") {
  const std::string padding = extension(21, std::string(5000, '\0')), bad = hello(padding + sni(" ") + kKeyShare);
  CHECK_EQ(why_after(bad.size(), bad), "bad server name");
  CHECK_EQ(why(hello(sni(" ") + padding)), "bad server name");
  CHECK_EQ(server_name(hello(padding + sni("a.example"))), "a.example");
}

TEST("any byte of a hello changed, and any byte taken away, is answered without harm") {
  const std::string good = from_hex(kOpenssl12) + "more";
  for (size_t at = 0; at + 4 < good.size(); ++at) {
    for (int c : {0x00, 0x01, 0x10, 0x7f, 0x80, 0xff}) {
      std::string changed = good;
      changed[at] = static_cast<char>(c);
      const Read r = read_at_once(changed);
      for (char name_byte : r.server_name) CHECK(name_byte > ' ' && name_byte < 0x7f && !(name_byte >= 'A' && name_byte <= 'Z'));
    }
    std::string shorter = good;
    shorter.erase(at, 1);
    (void)read_at_once(shorter);
  }
}
