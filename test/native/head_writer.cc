// Heads as the engine writes them: what is passed on, what ends here, and what is added.
#include "http/head_writer.h"

#include <memory>
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "read_head.h"

using namespace weir;

namespace {

// An exchange with a parsed request (and response) as the forwarder would have it.
struct Setup {
  explicit Setup(const std::string& request, const std::string& peer = "192.0.2.7") : bytes(request) {
    HeadParser parser;
    parser.reset(HeadParser::Kind::request);
    CHECK_EQ(parser.feed(bytes.data(), uint32_t(bytes.size()), {}, exchange->request), ParseResult::complete);
    exchange->client = client.get();
    exchange->plan = &plan;
    exchange->method = exchange->request.method;
    exchange->http10 = exchange->request.minor_version == 0;
    exchange->wants_upgrade = exchange->request.has_upgrade && !exchange->request.upgrade_is_h2c;
    CHECK(PeerIp::parse(peer, client->peer));
    server.name = "app/a";
    server.host_header = "a.internal";
    client->local_port = 8080;
    listener.forwarded = 0;
  }

  HeadSources sources() { return {*exchange, *client, listener, &server, random}; }
  std::string written() {
    ByteSink out;
    write_request_head(out, sources());
    return std::string(out.view());
  }
  Message request() {
    const Messages got = read_requests(written());
    CHECK(!got.malformed && got.all.size() == 1);
    return got.all.empty() ? Message() : got.all[0];
  }
  std::string response(const std::string& head, ResponseShape shape = {ResponseFraming::length, false, false}) {
    response_bytes = head;
    HeadParser parser;
    parser.reset(HeadParser::Kind::response);
    CHECK_EQ(parser.feed(response_bytes.data(), uint32_t(response_bytes.size()), {}, exchange->response), ParseResult::complete);
    ByteSink out;
    write_response_head(out, sources(), shape);
    return std::string(out.view());
  }
  void edit(HeaderEdits& edits, const std::string& name, const std::string& op, std::vector<TemplatePart> value = {}) {
    HeaderEdit e;
    e.name = name;
    e.replaces = op == "set";
    e.removes_only = op == "remove";
    e.value = std::move(value);
    edits.add(std::move(e));
  }

  std::string bytes, response_bytes;
  std::unique_ptr<Exchange> exchange = std::make_unique<Exchange>();
  std::unique_ptr<ClientConnection> client = std::make_unique<ClientConnection>();
  ListenerSettings listener;
  Server server;
  Plan plan;
  Random random;
};

std::string with(const std::string& fields) { return "GET /p?q HTTP/1.1\r\nHost: site.test\r\n" + fields + "\r\n"; }
TemplatePart literal(const std::string& text) { return {abi::placeholder::literal, text}; }

}  // namespace

TEST("a request's own headers are copied as they came, in their order") {
  Setup s(with("Accept: */*\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=b\r\n"));
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\nAccept: */*\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=b\r\n\r\n");
}

TEST("a header that is not in our form is written in it, its neighbours are not touched") {
  Setup s(with("A: 1\r\nB:2\r\nC:   3  \r\nD:\t4\r\nE: 5\r\nF:\r\nG: \r\nH: 8\r\n"));
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nG: \r\nH: 8\r\n\r\n");
}

TEST("what belongs to one hop is not passed on") {
  Setup s(with("Connection: close, X-Secret\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: gzip\r\nX-Secret: 1\r\nX-Open: 2\r\n"
               "Trailer: A\r\nHTTP2-Settings: AA\r\nUpgrade: h2c\r\n"));
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\nX-Open: 2\r\n\r\n");
}

TEST("a header that Connection names is dropped whatever its case, and in every field") {
  Setup s(with("connection: x-one\r\nX-ONE: 1\r\nConnection: close,, X-TWO ,\r\nx-two: 2\r\nX-Three: 3\r\nx-one: again\r\n"));
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\nX-Three: 3\r\n\r\n");
}

TEST("framing is written anew, once") {
  CHECK_EQ(Setup("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\n").request().field("content-length"), "5");
  const Message chunked = Setup("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\n\r\n").request();
  CHECK_EQ(chunked.field("transfer-encoding"), "chunked");
  CHECK_EQ(chunked.field("trailer"), "X");
  CHECK_EQ(chunked.count("content-length"), 0u);
}

TEST("TE is passed on for trailers only, Expect not from an HTTP/1.0 client") {
  const Message m = Setup(with("TE: trailers, gzip\r\nConnection: te\r\nExpect: 100-continue\r\n")).request();
  CHECK_EQ(m.field("te"), "trailers");
  CHECK_EQ(m.field("connection"), "te");
  CHECK_EQ(m.field("expect"), "100-continue");
  CHECK_EQ(Setup("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").request().count("expect"), 0u);
}

TEST("an upgrade is passed on without h2c") {
  const Message m = Setup(with("Connection: upgrade\r\nUpgrade: websocket, H2C, foo/2\r\n")).request();
  CHECK_EQ(m.field("connection"), "upgrade");
  CHECK_EQ(m.count("upgrade"), 2u);
  CHECK_EQ(m.field("upgrade"), "websocket");
}

TEST("Host is what the plan says, and never missing") {
  Setup s(with(""));
  s.plan.host = Plan::Host::server;
  CHECK_EQ(s.request().field("host"), "a.internal");
  s.plan.host = Plan::Host::literal;
  s.plan.host_literal = "other.test";
  CHECK_EQ(s.request().field("host"), "other.test");
  CHECK_EQ(Setup("GET / HTTP/1.0\r\n\r\n").request().field("host"), "a.internal");
  CHECK_EQ(Setup("GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n").request().field("host"), "b.test");
}

TEST("a path prefix is cut and added at the end of a segment") {
  const auto target = [](const std::string& path, const std::string& strip, const std::string& add) {
    Setup s("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    s.plan.strip = strip;
    s.plan.add = add;
    const std::string line = s.request().line;
    return line.substr(4, line.size() - 13);
  };
  CHECK_EQ(target("/v1/x?a=b", "/v1", ""), "/x?a=b");
  CHECK_EQ(target("/v1", "/v1", ""), "/");
  CHECK_EQ(target("/v1?a", "/v1", "/v2"), "/v2?a");
  CHECK_EQ(target("/v1x", "/v1", ""), "/v1x");
  CHECK_EQ(target("/x?", "", "/api"), "/api/x?");
  CHECK_EQ(target("http://b.test", "", ""), "/");
  CHECK_EQ(target("http://b.test?q", "", ""), "/?q");
}

TEST("who the client is comes from its socket, not from what it says") {
  Setup s(with("X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n"
               "X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n"));
  s.listener.forwarded = 127;
  const Message m = s.request();
  CHECK_EQ(m.field("x-forwarded-for"), "192.0.2.7");
  CHECK_EQ(m.field("x-real-ip"), "192.0.2.7");
  CHECK_EQ(m.field("forwarded"), "for=192.0.2.7;host=site.test;proto=http");
  CHECK_EQ(m.field("x-forwarded-proto"), "http");
  CHECK_EQ(m.field("x-forwarded-host"), "site.test");
  CHECK_EQ(m.field("x-forwarded-port"), "8080");
  CHECK_EQ(m.field("x-request-id").size(), 32u);
  for (const char* name : {"x-forwarded-for", "x-real-ip", "forwarded", "x-request-id"}) CHECK_EQ(m.count(name), 1u);
  s.listener.forwarded = 0;
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\n\r\n");
}

TEST("a trusted proxy's word counts, and is added to") {
  Setup s(with("X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: for=x\r\nX-Forwarded-Proto: https\r\n"
               "X-Request-Id: kept\r\n"));
  CHECK(s.listener.trusted.add("192.0.2.0/24"));
  s.client->trusted = true;
  s.listener.forwarded = 127;
  const Message m = s.request();
  CHECK_EQ(m.field("x-forwarded-for"), "6.6.6.6, 203.0.113.9, 192.0.2.1, 192.0.2.7");
  CHECK_EQ(m.count("x-forwarded-for"), 1u);
  CHECK_EQ(m.field("x-real-ip"), "203.0.113.9");
  CHECK_EQ(m.field("x-forwarded-proto"), "https");
  CHECK_EQ(m.field("forwarded"), "for=x, for=192.0.2.7;host=site.test;proto=http");
  CHECK_EQ(m.field("x-request-id"), "kept");
}

TEST("IPv6 and unix peers are written as Forwarded wants them") {
  Setup six(with(""), "2001:db8::1");
  six.listener.forwarded = abi::forwarded::forwarded | abi::forwarded::for_;
  CHECK_EQ(six.request().field("forwarded"), "for=\"[2001:db8::1]\";host=site.test;proto=http");
  CHECK_EQ(six.request().field("x-forwarded-for"), "2001:db8::1");
  Setup local(with(""));
  local.client->peer = PeerIp();
  local.client->unix_peer = true;
  local.listener.forwarded = abi::forwarded::forwarded | abi::forwarded::for_;
  CHECK_EQ(local.request().field("forwarded"), "for=_unix;host=site.test;proto=http");
  CHECK_EQ(local.request().field("x-forwarded-for"), "unix:");
}

TEST("edits set, add and remove, with values from the exchange") {
  Setup s(with("X-Set: old\r\nX-Add: old\r\nx-remove: 1\r\nX-REMOVE: 2\r\nUser-Agent: u\r\n"));
  s.edit(s.plan.request, "X-Set", "set", {literal("new "), {abi::placeholder::client_ip, ""}, literal(":"), {abi::placeholder::method, ""}});
  s.edit(s.plan.request, "X-Add", "add", {{abi::placeholder::path, ""}, literal("?"), {abi::placeholder::query, ""}});
  s.edit(s.plan.request, "X-Remove", "remove");
  CHECK_EQ(s.written(), "GET /p?q HTTP/1.1\r\nHost: site.test\r\nX-Add: old\r\nUser-Agent: u\r\nX-Set: new 192.0.2.7:GET\r\nX-Add: /p?q\r\n\r\n");
}

TEST("an edit of an identity header takes the place of ours") {
  Setup s(with(""));
  s.listener.forwarded = abi::forwarded::for_ | abi::forwarded::proto;
  s.edit(s.plan.request, "x-forwarded-for", "set", {literal("hidden")});
  s.edit(s.plan.request, "X-Forwarded-Proto", "remove");
  const Message m = s.request();
  CHECK_EQ(m.count("x-forwarded-for"), 1u);
  CHECK_EQ(m.field("x-forwarded-for"), "hidden");
  CHECK_EQ(m.count("x-forwarded-proto"), 0u);
}

TEST("edits of one request by a function come on top") {
  Setup s(with("X-A: 1\r\nX-B: 2\r\n"));
  s.exchange->edits = std::make_unique<RequestEdits>();
  s.exchange->edits->set = {{"x-a", "changed"}, {"x-new", "3"}};
  s.exchange->edits->removed = {"x-b"};
  s.exchange->edits->target = "/elsewhere?z";
  CHECK_EQ(s.written(), "GET /elsewhere?z HTTP/1.1\r\nHost: site.test\r\nx-a: changed\r\nx-new: 3\r\n\r\n");
}

TEST("edits drop what they name and nothing else") {
  HeaderEdits edits;
  const auto add = [&](const char* name, bool replaces, bool removes) {
    HeaderEdit e;
    e.name = name;
    e.replaces = replaces;
    e.removes_only = removes;
    edits.add(std::move(e));
  };
  CHECK(edits.empty());
  add("X-Custom", true, false);
  add("Cookie", false, true);
  add("X-Added", false, false);
  CHECK(edits.drops(HeaderId::other, "x-CUSTOM"));
  CHECK(!edits.drops(HeaderId::other, "y-custon"));
  CHECK(!edits.drops(HeaderId::other, "x-custot"));
  CHECK(edits.drops(HeaderId::cookie, "Cookie"));
  CHECK(!edits.drops(HeaderId::other, "X-Added"));
  CHECK(!edits.drops(HeaderId::host, "Host"));
}

TEST("a response is passed on without what belongs to its hop") {
  Setup s(with(""));
  const std::string head = "HTTP/1.1 200 Fine\r\nServer: x\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 3\r\n"
                           "Set-Cookie: a\r\nset-cookie:b\r\n\r\n";
  CHECK_EQ(s.response(head), "HTTP/1.1 200 Fine\r\nServer: x\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 3\r\n\r\n");
  CHECK_EQ(s.response("HTTP/1.1 200 \r\n\r\n", {ResponseFraming::chunked, true, false}),
           "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  CHECK_EQ(s.response("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {ResponseFraming::none, false, true}),
           "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST("a response says how it came about where it is to") {
  Setup s(with(""));
  s.listener.server_timing = s.listener.proxy_status = true;
  s.exchange->attempts = 1;
  s.exchange->seen.has_response = true;
  s.exchange->seen.first_byte_us = 12'345;
  s.exchange->seen.connect_us = 87;
  s.exchange->seen.overhead_us = 41;
  CHECK_EQ(s.response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
           "HTTP/1.1 200 OK\r\nServer-Timing: connect;dur=0.087, origin;dur=12.345, weir;dur=0.041\r\n"
           "Proxy-Status: weir; next-hop=\"app/a\"; received-status=200\r\nContent-Length: 3\r\n\r\n");
  s.server.name = "app/\"a\\\xc3\xa4";
  CHECK(s.response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").find("; next-hop=\"app/\\\"a\\\\??\";") != std::string::npos);
  Answer a;
  a.status = 404;
  s.exchange->attempts = 0;
  s.exchange->seen = Observed();
  s.exchange->seen.fail(abi::termination::no_route);
  ByteSink out;
  write_answer_head(out, s.sources(), a, "text/plain", 0, "now", false);
  CHECK_EQ(out.view(), "HTTP/1.1 404 Not Found\r\nDate: now\r\nServer-Timing: weir;dur=0.000\r\n"
                       "Proxy-Status: weir; error=destination_not_found\r\nContent-Length: 0\r\n\r\n");
}

TEST("a response's edits see the exchange") {
  Setup s(with(""));
  s.edit(s.plan.response, "Server", "remove");
  s.edit(s.plan.response, "X-Server", "set", {{abi::placeholder::server, ""}});
  CHECK_EQ(s.response("HTTP/1.1 304 Not\r\nServer: x\r\nETag: y\r\nContent-Length: 9\r\n\r\n"),
           "HTTP/1.1 304 Not\r\nETag: y\r\nX-Server: app/a\r\nContent-Length: 9\r\n\r\n");
}

TEST("a failure of a server carries the id of the request, unless it or the configuration says otherwise") {
  Setup s(with(""));
  const std::string failed = "HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n";
  CHECK(s.response(failed + "\r\n").find("X-Request-Id") == std::string::npos);
  s.listener.forwarded = abi::forwarded::request_id;
  CHECK(s.response(failed + "\r\n").find("X-Request-Id: " + std::string(request_id(s.sources()))) != std::string::npos);
  CHECK(s.response("HTTP/1.1 404 Not\r\nContent-Length: 3\r\n\r\n").find("X-Request-Id") == std::string::npos);
  const std::string own = s.response(failed + "X-Request-Id: own\r\n\r\n");
  CHECK(own.find("X-Request-Id: own") != std::string::npos && own.find("X-Request-Id") == own.rfind("X-Request-Id"));
  s.edit(s.plan.response, "X-Request-Id", "remove");
  CHECK(s.response(failed + "\r\n").find("X-Request-Id") == std::string::npos);
}

TEST("an answer of our own is framed by its length and says whether the connection stays") {
  Setup s(with(""));
  Answer a;
  a.status = 503;
  a.headers = "Retry-After: 1\r\n";
  ByteSink out;
  write_answer_head(out, s.sources(), a, "text/plain", 7, "now", true);
  const std::string id(request_id(s.sources()));
  CHECK_EQ(out.view(), "HTTP/1.1 503 Service Unavailable\r\nDate: now\r\nRetry-After: 1\r\nX-Request-Id: " + id +
                           "\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
  out.clear();
  a.headers = "A: b\r\nX-REQUEST-ID: mine\r\n";
  write_answer_head(out, s.sources(), a, "text/plain", 7, "now", true);
  CHECK(out.view().find(id) == std::string::npos);
  out.clear();
  a.status = 204;
  a.headers.clear();
  write_answer_head(out, s.sources(), a, "text/plain", 0, "now", false);
  CHECK_EQ(out.view(), "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}
