// What the head parser takes from a request, and what it refuses.
#include <string>

#include "check.h"
#include "read_head.h"

using namespace weir;
using namespace std::string_literals;

namespace {

std::string with_fields(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }

ParseError error_of(const std::string& bytes) {
  auto r = read_request(bytes);
  return r->result == ParseResult::failed ? r->error : ParseError::none;
}

ParseError error_of_line(const std::string& line) { return error_of(line + "\r\nHost: a\r\n\r\n"); }

}  // namespace

TEST("a usual request is taken apart") {
  const std::string bytes = "POST /v1/users?x=1&y=2 HTTP/1.1\r\nHost: api.example.com:8080\r\nContent-Length: 5\r\nX-A:  b c \t\r\n\r\nhello";
  auto r = read_request(bytes);
  CHECK_EQ(r->result, ParseResult::complete);
  CHECK_EQ(r->consumed, bytes.size() - 5);
  CHECK_EQ(r->head.method, Method::post);
  CHECK_EQ(r->head.text(r->head.target), "/v1/users?x=1&y=2");
  CHECK_EQ(r->path(), "/v1/users");
  CHECK_EQ(r->query(), "x=1&y=2");
  CHECK_EQ(r->authority(), "api.example.com:8080");
  CHECK_EQ(r->head.body, BodyKind::length);
  CHECK_EQ(r->head.content_length, 5u);
  CHECK_EQ(r->head.header_count, 3);
  CHECK_EQ(r->head.name(r->head.headers[2]), "X-A");
  CHECK_EQ(r->head.value(r->head.headers[2]), "b c");
  CHECK(r->head.keep_alive);
  CHECK(!r->head.path_needs_normalizing);
}

TEST("each method is known, others are tokens of at most 32 bytes") {
  CHECK_EQ(read_request("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")->head.method, Method::del);
  CHECK_EQ(read_request("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")->head.method, Method::trace);
  CHECK_EQ(read_request("get / HTTP/1.1\r\nHost: a\r\n\r\n")->head.method, Method::other);
  CHECK_EQ(error_of_line(std::string(32, 'M') + " / HTTP/1.1"), ParseError::none);
  CHECK_EQ(error_of_line(std::string(33, 'M') + " / HTTP/1.1"), ParseError::bad_method);
  CHECK_EQ(error_of_line("G(T / HTTP/1.1"), ParseError::bad_method);
}

TEST("the request line has single spaces and a version of its own") {
  CHECK_EQ(error_of_line("GET  / HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET /  HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET / HTTP/1.1 "), ParseError::bad_version);
  CHECK_EQ(error_of_line("GET /"), ParseError::bad_request_line);
  CHECK_EQ(error_of_line("GET"), ParseError::bad_request_line);
  CHECK_EQ(error_of_line("GET / http/1.1"), ParseError::bad_version);
  CHECK_EQ(error_of_line("GET / HTTP/11"), ParseError::bad_request_line);
  CHECK_EQ(error_of_line("GET / HTTP/1.10"), ParseError::bad_version);
  CHECK_EQ(error_of_line("GET /HTTP/1.1"), ParseError::bad_request_line);
  CHECK_EQ(error_of_line("GET\t/ HTTP/1.1"), ParseError::bad_method);
  CHECK_EQ(error_of_line("GET / HTTP/2.0"), ParseError::unsupported_version);
  CHECK_EQ(error_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ParseError::unsupported_version);
  CHECK_EQ(status_of(ParseError::unsupported_version), 505);
  CHECK_EQ(read_request("GET / HTTP/1.7\r\nHost: a\r\n\r\n")->head.minor_version, 1);
  CHECK_EQ(read_request("GET / HTTP/1.0\r\n\r\n")->head.minor_version, 0);
}

TEST("a target has the form that its method asks for") {
  const std::string bytes = "GET HTTP://Other.example:81?q HTTP/1.1\r\nHost: a\r\n\r\n";
  auto r = read_request(bytes);
  CHECK_EQ(r->result, ParseResult::complete);
  CHECK(r->head.absolute_form);
  CHECK_EQ(r->authority(), "Other.example:81");
  CHECK_EQ(r->path(), "");
  CHECK_EQ(r->query(), "q");
  CHECK_EQ(error_of_line("OPTIONS * HTTP/1.1"), ParseError::none);
  CHECK_EQ(error_of_line("GET * HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("CONNECT a.example:443 HTTP/1.1"), ParseError::none);
  CHECK_EQ(error_of_line("CONNECT a.example HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("CONNECT a.example:0 HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("CONNECT / HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET a.example:443 HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET http:///x HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET http://u@h/x HTTP/1.1"), ParseError::bad_target);
  CHECK_EQ(error_of_line("GET ftp://h/x HTTP/1.1"), ParseError::bad_target);
}

TEST("a path has no byte that two parsers could read differently") {
  for (const char* target : {"/a|b", "/a^b", "/[x]", "/a;b=c", "/%41", "/?\\", "/?{\"a\":1}", "/?%zz"}) CHECK_EQ(error_of_line("GET "s + target + " HTTP/1.1"), ParseError::none);
  for (const char* target : {"/a\\b", "/a#b", "/?a#b", "/\"", "/<", "/{}", "/%", "/%4", "/%zz", "/\x80", "/?\xff", "/a\tb"})
    CHECK_EQ(error_of_line("GET "s + target + " HTTP/1.1"), ParseError::bad_target);
}

TEST("a path that needs normalizing says so") {
  const auto needs = [](const std::string& target) { return read_request("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")->head.path_needs_normalizing; };
  CHECK(needs("//a"));
  CHECK(needs("/a/../b"));
  CHECK(needs("/.well-known"));
  CHECK(needs("/%61"));
  CHECK(!needs("/a.b/c?x=//"));
  CHECK(!needs("/"));
}

TEST("one valid Host is required in HTTP/1.1") {
  CHECK_EQ(error_of("GET / HTTP/1.1\r\n\r\n"), ParseError::no_host);
  CHECK_EQ(error_of("GET http://a/ HTTP/1.1\r\n\r\n"), ParseError::no_host);
  CHECK_EQ(error_of("GET / HTTP/1.0\r\n\r\n"), ParseError::none);
  CHECK_EQ(error_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), ParseError::several_hosts);
  CHECK_EQ(error_of(with_fields("Host: a\r\n")), ParseError::several_hosts);
  for (const char* good : {"", "a", "a:", "a:0", "a:65535", "[::1]", "[::1]:80", "10.0.0.1:1", "a_b", "%41"})
    CHECK_EQ(error_of("GET / HTTP/1.1\r\nHost: "s + good + "\r\n\r\n"), ParseError::none);
  for (const char* bad : {"a:65536", "a:x", ":80", "a b", "a,b", "a, b", "u@a", "http://a", "a/b", "[::1", "[::g]", "[]", "[::1]x", "::1", "a\xff", "%4", "a?b"})
    CHECK_EQ(error_of("GET / HTTP/1.1\r\nHost: "s + bad + "\r\n\r\n"), ParseError::bad_host);
}

TEST("field lines are strict") {
  CHECK_EQ(error_of(with_fields("X : a\r\n")), ParseError::space_before_colon);
  CHECK_EQ(error_of(with_fields("X\t: a\r\n")), ParseError::space_before_colon);
  CHECK_EQ(error_of(with_fields(": a\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X a: b\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X(a): b\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X\x80: b\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X\x01: b\r\n")), ParseError::bad_header_name);
  CHECK_EQ(error_of(with_fields("X: b\x01\r\n")), ParseError::bad_header_value);
  CHECK_EQ(error_of(with_fields("X: b\x7f\r\n")), ParseError::bad_header_value);
  CHECK_EQ(error_of(with_fields("X: a\0b\r\n"s)), ParseError::nul_byte);
  CHECK_EQ(error_of(with_fields("X: a\r\n b\r\n")), ParseError::obs_fold);
  CHECK_EQ(error_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), ParseError::obs_fold);
  CHECK_EQ(error_of(with_fields("X: a\rb\r\n")), ParseError::bare_cr);
  CHECK_EQ(error_of(with_fields("X: a\nY: b\r\n")), ParseError::bare_lf);
  CHECK_EQ(error_of(with_fields("X: \t\x80\xff ~\r\nEmpty:\r\n")), ParseError::none);
  CHECK_EQ(error_of(with_fields(std::string(255, 'n') + ": a\r\n")), ParseError::none);
  CHECK_EQ(error_of(with_fields(std::string(256, 'n') + ": a\r\n")), ParseError::head_too_large);
}

TEST("Content-Length is one number") {
  CHECK_EQ(read_request(with_fields("Content-Length: 9223372036854775807\r\n"))->head.content_length, (uint64_t{1} << 63) - 1);
  for (const char* bad : {"", "+5", "-5", "0x5", "5 5", "5, 5", "5,6", "5.0", "9223372036854775808", "99999999999999999999"})
    CHECK_EQ(error_of(with_fields("Content-Length: "s + bad + "\r\n")), ParseError::bad_content_length);
  CHECK_EQ(error_of(with_fields("Content-Length: 5\r\nContent-Length: 5\r\n")), ParseError::bad_content_length);
  CHECK_EQ(error_of(with_fields("Content-Length: 5\r\nContent-Length: 6\r\n")), ParseError::differing_content_lengths);
  CHECK_EQ(error_of(with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), ParseError::length_with_chunked);
}

TEST("the only transfer coding is chunked, once") {
  CHECK_EQ(read_request(with_fields("Transfer-Encoding: Chunked\r\n"))->head.body, BodyKind::chunked);
  for (const char* bad : {"", "gzip", "identity", "xchunked", "chunked;a=b", "\"chunked\"", "\x0b"
                          "chunked"})
    CHECK(error_of(with_fields("Transfer-Encoding: "s + bad + "\r\n")) != ParseError::none);
  for (const char* bad : {"chunked, gzip", "gzip, chunked", "chunked, chunked", "chunked,", ",chunked"})
    CHECK_EQ(error_of(with_fields("Transfer-Encoding: "s + bad + "\r\n")), ParseError::chunked_not_last);
  CHECK_EQ(error_of(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), ParseError::chunked_not_last);
  CHECK_EQ(error_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseError::transfer_encoding_in_http10);
}

TEST("Connection decides whether the connection stays open") {
  CHECK(!read_request(with_fields("Connection: x, CLOSE\r\n"))->head.keep_alive);
  CHECK(read_request(with_fields("Connection: x, close2\r\n"))->head.connection_names_headers);
  CHECK(!read_request(with_fields("Connection: keep-alive, upgrade, TE\r\n"))->head.connection_names_headers);
  CHECK(!read_request("GET / HTTP/1.0\r\n\r\n")->head.keep_alive);
  CHECK(read_request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->head.keep_alive);
  CHECK(!read_request("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n")->head.keep_alive);
}

TEST("an upgrade is one that Connection names") {
  CHECK(!read_request(with_fields("Upgrade: websocket\r\n"))->head.has_upgrade);
  CHECK(!read_request(with_fields("Connection: upgrade\r\n"))->head.has_upgrade);
  CHECK(read_request(with_fields("Connection: Upgrade\r\nUpgrade: websocket\r\n"))->head.has_upgrade);
  CHECK(read_request(with_fields("Connection: Upgrade\r\nUpgrade: H2C\r\n"))->head.upgrade_is_h2c);
  CHECK(!read_request(with_fields("Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"))->head.upgrade_is_h2c);
  CHECK(!read_request("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")->head.has_upgrade);
}

TEST("Expect and TE are read") {
  CHECK(read_request(with_fields("Expect: 100-Continue\r\n"))->head.expect_continue);
  CHECK(read_request(with_fields("Expect: other\r\n"))->head.expect_unknown);
  CHECK(!read_request("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->head.expect_continue);
  CHECK(read_request(with_fields("TE: gzip, Trailers\r\n"))->head.te_trailers);
}

TEST("what cannot become a request is refused at its first byte") {
  CHECK_EQ(error_of("\x16\x03\x01"), ParseError::bad_method);
  CHECK_EQ(error_of("\n"), ParseError::bare_lf);
  CHECK_EQ(error_of("\0"s), ParseError::nul_byte);
  CHECK_EQ(error_of(" "), ParseError::bad_method);
  CHECK_EQ(error_of("\x80"), ParseError::bad_method);
  CHECK_EQ(error_of("GET / HTTP/1.1\n"), ParseError::bare_lf);
  CHECK_EQ(error_of("GET / HTTP/1.1\r\n "), ParseError::obs_fold);
  CHECK_EQ(error_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), ParseError::none);
  CHECK_EQ(error_of("\r\n\r\n\r\n"), ParseError::bad_request_line);
}

TEST("limits are kept to the byte") {
  const std::string bytes = with_fields("X: y\r\n");
  const uint32_t size = static_cast<uint32_t>(bytes.size());
  CHECK_EQ(read_request(bytes, {size, 2})->result, ParseResult::complete);
  CHECK_EQ(read_request(bytes, {size - 1, 2})->error, ParseError::head_too_large);
  CHECK_EQ(read_request(bytes, {size, 1})->error, ParseError::too_many_headers);
  const std::string endless = "GET /" + std::string(100, 'a');
  CHECK_EQ(read_request(endless, {64, 10})->error, ParseError::target_too_long);
  CHECK_EQ(status_of(ParseError::target_too_long), 414);
  CHECK_EQ(status_of(ParseError::too_many_headers), 431);
}
