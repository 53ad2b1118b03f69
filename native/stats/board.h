// The board: one shared memory map of counters. Primary and workers map the same memfd; each column has exactly one writer,
// but the in-flight totals, which every worker changes atomically so that least-connections sees all of them. Behind the columns
// all workers share a cache of TLS sessions.
// Owns     the mapping, not the fd.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/abi.h"

namespace weir {

class Board {
 public:
  static constexpr size_t kTotalsAt = abi::board::header_bytes;
  static constexpr size_t kColumnsAt = kTotalsAt + size_t(abi::board::servers) * abi::board::total_stride;
  static constexpr size_t kListenersAt = abi::board::worker_bytes;  // inside a column
  static constexpr size_t kServersAt = kListenersAt + size_t(abi::board::listeners) * abi::board::listener_stride;
  static constexpr size_t kAddressesAt = kServersAt + size_t(abi::board::servers) * abi::board::server_stride;
  static constexpr size_t kRoutesAt = kAddressesAt + size_t(abi::board::addresses) * 16;
  static constexpr size_t kSeriesAt = kRoutesAt + size_t(abi::board::routes) * abi::board::route_stride;
  static constexpr size_t kSeries = size_t(abi::board::servers + abi::board::routes) * abi::phase::count;
  static constexpr size_t kBlocksAt = kSeriesAt + kSeries * abi::board::series_bytes;
  static constexpr size_t kRingAt = kBlocksAt + size_t(abi::board::histogram_blocks) * 512;
  static constexpr size_t kColumnBytes = kRingAt + 4096 + abi::board::ring_bytes;  // a page of the ring's numbers, then its bytes
  static constexpr size_t kTlsSessionsBytes = size_t(abi::board::tls_sessions) * abi::board::tls_session_bytes;
  static constexpr size_t tls_sessions_at(size_t workers) { return kColumnsAt + workers * kColumnBytes; }
  static constexpr size_t bytes_for(size_t workers) { return tls_sessions_at(workers) + kTlsSessionsBytes; }

  Board() = default;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  ~Board();

  // A new memfd of the right size, or -1 (errno set).
  [[nodiscard]] static int create(unsigned workers);
  // Maps `fd`, or private memory when fd is -1 (tests). False: errno says why.
  [[nodiscard]] bool map(int fd, unsigned workers, unsigned my_column);

  [[nodiscard]] double* worker(unsigned column) const { return reinterpret_cast<double*>(base_ + kColumnsAt + column * kColumnBytes); }
  [[nodiscard]] double* mine() const { return worker(column_); }
  [[nodiscard]] double* listener(unsigned column, unsigned slot) const {
    return reinterpret_cast<double*>(base_ + kColumnsAt + column * kColumnBytes + kListenersAt + size_t(slot) * abi::board::listener_stride);
  }
  [[nodiscard]] double* server(unsigned slot) const {
    return reinterpret_cast<double*>(base_ + kColumnsAt + column_ * kColumnBytes + kServersAt + size_t(slot) * abi::board::server_stride);
  }
  [[nodiscard]] double* route(unsigned slot) const {
    return reinterpret_cast<double*>(base_ + kColumnsAt + column_ * kColumnBytes + kRoutesAt + size_t(slot) * abi::board::route_stride);
  }
  // Where a worker's HistogramMap and record ring are.
  [[nodiscard]] char* series(unsigned column) const { return base_ + kColumnsAt + column * kColumnBytes + kSeriesAt; }
  [[nodiscard]] char* blocks(unsigned column) const { return base_ + kColumnsAt + column * kColumnBytes + kBlocksAt; }
  [[nodiscard]] char* ring(unsigned column) const { return base_ + kColumnsAt + column * kColumnBytes + kRingAt; }
  [[nodiscard]] std::atomic<int32_t>& total_in_flight(unsigned slot) const {
    return *reinterpret_cast<std::atomic<int32_t>*>(base_ + kTotalsAt + size_t(slot) * abi::board::total_stride);
  }
  // Random, the same in all processes, known to nobody else: the first bytes of the header.
  [[nodiscard]] uint64_t secret() const { return *reinterpret_cast<const uint64_t*>(base_); }
  // Where a worker's AddressTable has its rows.
  [[nodiscard]] char* addresses(unsigned column) const { return base_ + kColumnsAt + column * kColumnBytes + kAddressesAt; }
  // Where the SessionCache of all workers has its slots.
  [[nodiscard]] char* tls_sessions() const { return base_ + tls_sessions_at(workers_); }
  // How many wait for room at the upstream that this row stands for, over all workers.
  [[nodiscard]] std::atomic<int32_t>& total_waiting(unsigned slot) const {
    return *reinterpret_cast<std::atomic<int32_t>*>(base_ + kTotalsAt + size_t(slot) * abi::board::total_stride + sizeof(int32_t));
  }
  [[nodiscard]] unsigned workers() const { return workers_; }
  [[nodiscard]] unsigned column() const { return column_; }
  [[nodiscard]] char* base() const { return base_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  char* base_ = nullptr;
  size_t size_ = 0;
  unsigned workers_ = 0;
  unsigned column_ = 0;
};

}  // namespace weir
