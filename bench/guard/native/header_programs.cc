// What does it cost to write a head for the other side, with the header program of its route?
#include <memory>

#include "http/head_writer.h"
#include "operation.h"
#include "sample_heads.h"

namespace weir::guard {

namespace {

// An exchange with both heads parsed, as the forwarder would have it.
struct Subject {
  Subject(std::string_view request, std::string_view response) : request_bytes(request), response_bytes(response) {
    parse(HeadParser::Kind::request, request_bytes, exchange->request);
    parse(HeadParser::Kind::response, response_bytes, exchange->response);
    exchange->client = client.get();
    exchange->plan = &plan;
    exchange->method = exchange->request.method;
    require(PeerIp::parse("192.0.2.7", client->peer), "an address was not parsed");
    client->local_port = 8080;
    server.name = "app/a";
    server.host_header = "a.internal";
  }
  static void parse(HeadParser::Kind kind, const std::string& bytes, MessageHead& head) {
    HeadParser parser;
    parser.reset(kind);
    require(parser.feed(bytes.data(), uint32_t(bytes.size()), {}, head) == ParseResult::complete, "a head was not parsed");
  }
  void edit(HeaderEdits& edits, const char* name, bool replaces, bool removes, std::vector<TemplatePart> value) {
    HeaderEdit e;
    e.name = name;
    e.replaces = replaces;
    e.removes_only = removes;
    e.value = std::move(value);
    edits.add(std::move(e));
  }
  // What a config with a rewrite and a handful of header rules comes to.
  void program() {
    plan.strip = "/shop";
    plan.add = "/v2";
    edit(plan.request, "X-Env", true, false, {{abi::placeholder::literal, "production"}});
    edit(plan.request, "X-Client", true, false, {{abi::placeholder::client_ip, ""}, {abi::placeholder::literal, ":"}, {abi::placeholder::client_port, ""}});
    edit(plan.request, "Via", false, false, {{abi::placeholder::literal, "1.1 "}, {abi::placeholder::host, ""}});
    edit(plan.request, "DNT", false, true, {});
    edit(plan.response, "Server", false, true, {});
    edit(plan.response, "X-Served-By", true, false, {{abi::placeholder::server, ""}});
  }

  HeadSources sources() { return {*exchange, *client, listener, &server, random}; }

  std::string request_bytes, response_bytes;
  std::unique_ptr<Exchange> exchange = std::make_unique<Exchange>();
  std::unique_ptr<ClientConnection> client = std::make_unique<ClientConnection>();
  ListenerSettings listener;
  Server server;
  Plan plan;
  Random random;
  ByteSink out;
};

enum class Program { none, edits };
enum class Direction { request, response };

Operation writing(const char* name, std::string_view request, Direction direction, Program program) {
  auto subject = std::make_shared<Subject>(request, kFullResponse);
  if (program == Program::edits) subject->program();
  const size_t bytes = direction == Direction::request ? request.size() : kFullResponse.size();
  return {name, bytes, [subject, direction](unsigned times) {
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                subject->out.clear();
                if (direction == Direction::request) write_request_head(subject->out, subject->sources());
                else write_response_head(subject->out, subject->sources(), {ResponseFraming::length, false, false});
                keep(subject->out);
              }
            });
            require(subject->out.size() > 100, "a head was not written");
          }};
}

}  // namespace

std::vector<Operation> operations() {
  return {
      writing("program-request-plain", kPlainRequest, Direction::request, Program::none),
      writing("program-request-browser", kBrowserRequest, Direction::request, Program::none),
      writing("program-request-edits", kBrowserRequest, Direction::request, Program::edits),
      writing("program-response", kPlainRequest, Direction::response, Program::none),
      writing("program-response-edits", kPlainRequest, Direction::response, Program::edits),
  };
}

}  // namespace weir::guard
