// The border to TypeScript as the forwarder sees it: three moments of an exchange, named as in src/worker/request-life.ts.
#pragma once
#include <cstdint>

#include "http/exchange.h"
#include "http/listener_settings.h"

namespace weir {

struct Verdict {
  int kind = 3;  // abi::verdict; abort unless said otherwise
  uint32_t server = 0;
  Plan* plan = nullptr;
  bool fresh_connection = false;
  uint16_t route = 0;     // row of the board
  uint8_t termination = 0;  // abi::termination, of an answer
  const Answer* answer = nullptr;  // lent until the call that got it returns
};

struct Failure {
  int reason = 0;  // abi::failure
  int error = 0;   // errno, where there is one
  bool unsent = false;  // certain that no byte of the request reached the server
};

class Decider {
 public:
  virtual ~Decider() = default;
  virtual Verdict decide(Exchange& ex) = 0;
  virtual Verdict after_failure(Exchange& ex, const Failure& failure) = 0;
  // Of an exchange whose plan asks for it, that waited, or that had several attempts.
  virtual void finished(Exchange& ex) = 0;
  // The server has not answered within the plan's hedge time. `forward`: that server is asked, too, and the first answer counts.
  virtual Verdict hedge(Exchange& ex) = 0;
  // A server has room again: those who wait for it may go on.
  virtual void room() = 0;
};

// Takes over both sockets of an exchange that became a tunnel (101 Switching Protocols).
class Joiner {
 public:
  virtual ~Joiner() = default;
  virtual void join(Exchange& ex, std::string_view from_server) = 0;
};

}  // namespace weir
