// How many nanoseconds does one typical request head take? Not a test: prints the number, asserts nothing about it.
#include <chrono>
#include <cstdio>
#include <string_view>

#include "http/head_parser.h"

namespace {

constexpr std::string_view kBrowser =
    "GET /v1/users/4711?fields=name,mail HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Connection: keep-alive\r\n\r\n";
constexpr std::string_view kLoadGenerator = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n"
    "Keep-Alive: timeout=5\r\nContent-Length: 13\r\n\r\n";

void measure(const char* what, weir::HeadParser::Kind kind, std::string_view bytes) {
  constexpr int rounds = 2'000'000;
  weir::MessageHead head;
  weir::HeadParser parser;
  uint64_t sum = 0;
  const auto from = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    parser.reset(kind);
    if (parser.feed(bytes.data(), static_cast<uint32_t>(bytes.size()), {}, head) != weir::ParseResult::complete) return;
    sum += head.header_count;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - from;
  std::printf("%-28s %6.1f ns  (%zu bytes, %llu fields)\n", what, took.count() / rounds, bytes.size(),
              static_cast<unsigned long long>(sum / rounds));
}

}  // namespace

int main() {
  measure("request with 6 fields", weir::HeadParser::Kind::request, kBrowser);
  measure("request with 1 field", weir::HeadParser::Kind::request, kLoadGenerator);
  measure("response with 5 fields", weir::HeadParser::Kind::response, kResponse);
}
