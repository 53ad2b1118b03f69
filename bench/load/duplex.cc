// Both ends of one tunnel in one process, each sending and receiving at once as fast as it can.
//
//   duplex --bytes N --via PORT       listens on a port of its own, prints `listening PORT`, waits for a line on its standard input,
//                                     connects to 127.0.0.1:PORT, and moves N bytes each way
//
// What is sent is a seeded pseudo-random stream; sender and receiver each hash every word. Prints one JSON object with bytes, hashes
// and seconds; ends with 1 when a direction did not arrive whole and equal.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr size_t kChunk = 256 * 1024;

struct Flow {
  uint64_t bytes = 0;
  uint64_t hash = 0;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

// xorshift64* (Vigna, 2016): fast enough not to be what is measured.
struct Stream {
  uint64_t state;
  void fill(uint64_t* words, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      state ^= state >> 12;
      state ^= state << 25;
      state ^= state >> 27;
      words[i] = state;
    }
  }
};

uint64_t mixed(uint64_t hash, uint64_t word) { return (hash ^ word) * 0x9e3779b97f4a7c15u + (hash >> 29); }

Flow send_all(int fd, uint64_t bytes, uint64_t seed) {
  Flow flow;
  Stream stream{seed};
  std::vector<uint64_t> chunk(kChunk / 8);
  while (flow.bytes < bytes) {
    stream.fill(chunk.data(), chunk.size());
    for (const uint64_t word : chunk) flow.hash = mixed(flow.hash, word);
    for (size_t sent = 0; sent < kChunk;) {
      const ssize_t n = ::send(fd, reinterpret_cast<const char*>(chunk.data()) + sent, kChunk - sent, MSG_NOSIGNAL);
      if (n <= 0) give_up("send");
      sent += size_t(n);
    }
    flow.bytes += kChunk;
  }
  ::shutdown(fd, SHUT_WR);
  return flow;
}

Flow receive_all(int fd) {
  Flow flow;
  std::vector<uint64_t> chunk(kChunk / 8);
  char* to = reinterpret_cast<char*>(chunk.data());
  for (size_t have = 0;;) {
    const ssize_t n = ::recv(fd, to + have, kChunk - have, 0);
    if (n < 0) give_up("recv");
    if (n == 0) return flow;
    flow.bytes += uint64_t(n);
    have += size_t(n);
    if (have < kChunk) continue;
    for (const uint64_t word : chunk) flow.hash = mixed(flow.hash, word);
    have = 0;
  }
}

void print(const char* name, const Flow& sent, const Flow& received) {
  std::printf("\"%s\":{\"sent\":%llu,\"received\":%llu,\"equal\":%s}", name, static_cast<unsigned long long>(sent.bytes),
              static_cast<unsigned long long>(received.bytes), sent.bytes == received.bytes && sent.hash == received.hash ? "true" : "false");
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t bytes = 0;
  int via = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--bytes") bytes = std::strtoull(argv[i + 1], nullptr, 10);
    else if (std::string_view(argv[i]) == "--via") via = std::atoi(argv[i + 1]);
  }
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0 || ::listen(listening, 16) < 0) give_up("listen");
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &length);
  std::printf("listening %d\n", ntohs(at.sin_port));
  std::fflush(stdout);
  char line[32];
  if (!std::fgets(line, sizeof line, stdin)) return 1;
  if (via == 0) via = std::atoi(line);

  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_port = htons(uint16_t(via));
  if (::connect(client, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0) give_up("connect");
  const int server = ::accept(listening, nullptr, nullptr);
  if (server < 0) give_up("accept");
  const auto start = std::chrono::steady_clock::now();
  Flow up_sent, up_received, down_sent, down_received;
  std::thread threads[] = {
      std::thread([&] { up_sent = send_all(client, bytes, 1); }),
      std::thread([&] { up_received = receive_all(server); }),
      std::thread([&] { down_sent = send_all(server, bytes, 2); }),
      std::thread([&] { down_received = receive_all(client); }),
  };
  for (std::thread& t : threads) t.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"seconds\":%.3f,", seconds);
  print("up", up_sent, up_received);
  std::printf(",");
  print("down", down_sent, down_received);
  std::printf("}\n");
  const bool good = up_sent.bytes == up_received.bytes && up_sent.hash == up_received.hash && down_sent.bytes == down_received.bytes &&
                    down_sent.hash == down_received.hash;
  return good ? 0 : 1;
}
