// What does one whole exchange cost in the engine, from the client's bytes to the record? Sockets are pairs inside this process, the
// decision is one line of C++, and system calls count as nothing: only the engine's own instructions are left.
#include <memory>

#include "lib/test_bed.h"
#include "operation.h"
#include "sample_heads.h"

namespace weir::guard {

namespace {

struct Subject {
  explicit Subject(std::string request, std::string response) : request_(std::move(request)), response_(std::move(response)) {
    bed_.engine.rt.trace_share = -1;
    bed_.plan().tell_finished = false;
    client_ = bed_.connect_pair();
    client_.send(request_);
    server_ = bed_.accept();
    require(server_.open(), "the engine opened no connection to the server");
    finish();
  }

  void once() {
    client_.send(request_);
    counted([this] { (void)bed_.run(); });
    finish();
  }

 private:
  // The server answers, and the client gets all of it.
  void finish() {
    server_.pump();
    require(server_.received.size() > request_.size() / 2, "the server got no request");
    server_.send(response_);
    counted([this] { (void)bed_.run(); });
    client_.pump();
    require(client_.received.size() > response_.size() / 2, "the client got no response");
    for (Peer* peer : {&client_, &server_}) {
      peer->received.clear();
      peer->sent.clear();
    }
  }

  TestBed bed_{TestBed::Sockets::unix_path};
  std::string request_, response_;
  Peer client_, server_;
};

Operation exchange(const char* name, std::string request, std::string response) {
  return {name, 0, [request = std::move(request), response = std::move(response)](unsigned times) {
            Subject subject(request, response);
            for (unsigned i = 0; i < times; ++i) subject.once();
          }};
}

std::string chunked_response() {
  std::string body = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 8; ++i) body += "100\r\n" + std::string(256, 'x') + "\r\n";
  return body + "0\r\n\r\n";
}

}  // namespace

std::vector<Operation> operations() {
  const std::string small = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x');
  const std::string post = "POST /v1/users HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\nContent-Length: 512\r\n\r\n" + std::string(512, 'x');
  return {
      exchange("exchange-small", std::string(kPlainRequest), small),
      exchange("exchange-browser", std::string(kBrowserRequest), small),
      exchange("exchange-post", post, small),
      exchange("exchange-chunked", std::string(kPlainRequest), chunked_response()),
  };
}

}  // namespace weir::guard
