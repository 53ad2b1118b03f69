// Opens the sockets that connections arrive at. The primary calls this; workers inherit the descriptors.
#pragma once
#include <cstdint>
#include <string>

#include "base/fd.h"

namespace weir {

struct Listening {
  UniqueFd fd;
  uint16_t port = 0;  // the real one, where 0 was asked for
  int error = 0;
  std::string step;  // what failed
};

// `host` is an IPv4 or IPv6 address; empty listens on every address of both families.
[[nodiscard]] Listening listen_on_ip(const std::string& host, uint16_t port, int backlog);
// A socket file that nobody answers at any more is replaced; one that is answered is EADDRINUSE.
[[nodiscard]] Listening listen_on_path(const std::string& path, int backlog);


// Sets what a listening socket needs before connections are accepted from it, and what those inherit. It may have been opened by somebody
// else, and whoever shares it may take the connection that another one was woken for.
void prepare_to_accept(int fd);

}  // namespace weir
