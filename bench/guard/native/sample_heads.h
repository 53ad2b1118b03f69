// Heads as they are sent every day; names, addresses and values are made up.
#pragma once
#include <string>
#include <string_view>

namespace weir::guard {

// curl, and what load generators send.
constexpr std::string_view kPlainRequest =
    "GET /v1/users/4711 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";

// A browser that fetches a part of a page: 20 fields.
constexpr std::string_view kBrowserRequest =
    "GET /shop/articles/1234567?colour=green&size=xl&page=3 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "sec-ch-ua: \"Chromium\";v=\"118\", \"Not=A?Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "DNT: 1\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://www.example.com/shop/articles?colour=green\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "If-None-Match: \"5f2b-61c5a1d3\"\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=17\r\n\r\n";

// Cookies of many parties: 6 KiB of them.
inline std::string request_with_cookies() {
  std::string cookies;
  for (int i = 0; i < 96; ++i) cookies += (i > 0 ? "; cookie" : "cookie") + std::to_string(100 + i) + "=" + std::string(52, char('a' + i % 26));
  return "GET /account HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\nCookie: " + cookies +
         "\r\nAccept-Encoding: gzip\r\n\r\n";
}

constexpr std::string_view kPlainResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n"
    "Keep-Alive: timeout=5\r\nContent-Length: 13\r\n\r\n";

// What an application server behind a framework says.
constexpr std::string_view kFullResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "Server: app/4.2\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 48211\r\n"
    "Connection: keep-alive\r\n"
    "Keep-Alive: timeout=75\r\n"
    "Vary: Accept-Encoding, Cookie\r\n"
    "ETag: \"5f2b-61c5a1d3\"\r\n"
    "Last-Modified: Sun, 31 Dec 2023 22:11:10 GMT\r\n"
    "Cache-Control: private, max-age=0, must-revalidate\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "Content-Security-Policy: default-src 'self'; img-src 'self' data: https://images.example.com; frame-ancestors 'none'\r\n"
    "Set-Cookie: session=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax\r\n\r\n";

}  // namespace weir::guard
