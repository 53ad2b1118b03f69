// What a socket says of itself and of its other end.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

struct ListeningAddress {
  bool is_path = false;
  std::string host;  // an IP address, where it is not a path
  uint16_t port = 0;
  std::string path;  // "@name" in the abstract namespace
};

// Nothing when the descriptor is no stream socket that listens on IP or a path.
[[nodiscard]] std::optional<ListeningAddress> listening_address(int fd);

struct PeerProcess {
  pid_t pid = 0;  // 0 when it is in a namespace that we do not see
  uid_t uid = 0;
};

// Who connected to a unix socket, as the kernel noted it then. Nothing for other descriptors.
[[nodiscard]] std::optional<PeerProcess> peer_process(int fd);

}  // namespace weir
