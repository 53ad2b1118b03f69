// Non-blocking socket calls with their outcome as a value. All of the engine's reads and writes go through here; where there is TLS
// on a connection, through tls/stream.h.
#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "loop/address.h"

namespace weir {

struct IoResult {
  enum class Kind : uint8_t { ok, would_block, closed, failed } kind;
  size_t bytes = 0;
  int error = 0;
  bool cut = false;  // closed: the connection ended, but the peer did not say that it had sent all (TLS)
};

[[nodiscard]] IoResult read_some(int fd, char* to, size_t room);
// Reads without taking: the same bytes come again.
[[nodiscard]] IoResult peek_some(int fd, char* to, size_t room);
[[nodiscard]] IoResult write_some(int fd, const iovec* parts, int count);  // at most IOV_MAX parts

// Starts a connect. Returns the fd, or -1 with `error` set. `in_progress` tells whether EPOLLOUT is still to come. Nagle's algorithm
// is still on: see send_promptly.
[[nodiscard]] int start_connect(const Address& to, bool& in_progress, int& error);
// Turns off Nagle's algorithm (RFC 9293 3.7.4). Of no use before the second write of a connection, so short ones save the call.
void send_promptly(int fd);
[[nodiscard]] int socket_error(int fd);

// Bytes of ours that the peer's kernel has acknowledged on this TCP connection (RFC 4898), or -1 where nobody knows (unix sockets).
[[nodiscard]] int64_t bytes_acknowledged(int fd);

// How many bytes to move at once so that a TCP connection carries full segments: a multiple of its current segment size, near
// 64 KiB. A remainder would leave as a small packet of its own, wake the receiver for nothing, and cost a third more CPU
// (docs/tuning.md). The size grows with the peer's window, so ask again for each large body.
[[nodiscard]] uint32_t piece_to_send(int fd);
[[nodiscard]] uint32_t piece_to_receive(int fd);

// How long ago the last bytes came on this TCP connection, by the kernel's ticks; -1 where nobody knows (unix sockets).
[[nodiscard]] int64_t last_received_us_ago(int fd);

// Bytes that have arrived and were not read yet; 0 where nobody knows.
[[nodiscard]] uint32_t bytes_to_read(int fd);
// Bytes that we wrote and the peer's kernel has not acknowledged yet; 0 where nobody knows.
[[nodiscard]] uint32_t bytes_unacknowledged(int fd);
// The address that the connection was made to. False for a unix socket.
[[nodiscard]] bool local_address(int fd, PeerIp& ip, uint16_t& port);
// TCP keep-alive probes after this long without a segment (RFC 9293 3.8.4), so that a vanished peer is noticed.
void probe_when_silent(int fd, int seconds);

// Whether a call failed for want of something of our own, which says nothing about the peer.
[[nodiscard]] bool own_shortage(int error);

// Makes the coming close() send a reset, so that the peer cannot take what it got for the whole.
void reset_on_close(int fd);

}  // namespace weir
