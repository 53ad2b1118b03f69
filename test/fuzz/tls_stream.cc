// Whatever a TLS peer sends, changes, leaves out or ends, and however sockets and users cut it: no crash, nothing kept, and each side
// gets a beginning of what the other one sent, or nothing.
// Input    byte 0: settings (see `Play`). Then steps: bits 0-4 of a byte say which (see `Step`), bits 5-7 how much.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "lib/test_bed.h"
#include "openssl_pair.h"
#include "tls/openssl_session.h"

using namespace weir;

namespace {

enum class Step : uint8_t {
  exchange,  // the peer takes and sends what there is, and we read or go on with the handshake
  peer, shake_hands, read, peek, write, write_again, send, say_end, end, update_keys, ask_for_keys, ticket, renegotiate,
  flip, truncate, drop, repeat, reverse, garbage, record, alert,  // what happens to the next bytes that the peer sends
  half_close, close, reset, stall, sip, hold, narrow, piece, pause, drop_session,
};
static_assert(unsigned(Step::drop_session) == 31);

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  abort();
}

constexpr size_t kMost = 1 << 19;

// What both sides send: no part of it is like another.
const std::string& stream() {
  static const std::string all = [] {
    std::string bytes(kMost, '\0');
    uint64_t x = 1;
    for (char& c : bytes) c = char((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    return bytes;
  }();
  return all;
}

// Peers and ends that live as long as the process, so that sessions are resumed, and what one input left behind shows with the next.
struct World {
  TlsPairs pairs;
  SslContext servers[2] = {peer_server(TLS1_2_VERSION), peer_server(0)};
  SslContext clients[2] = {client_peer_context(TLS1_2_VERSION), client_peer_context()};

  static SslContext peer_server(int version) { return server_peer_context(certificates::usual().ecdsa, version); }
  static SslContext shared(const SslContext& context) {
    SSL_CTX_up_ref(context.get());
    return SslContext(context.get());
  }
};

World& world() {
  static World all;
  return all;
}

class Play {
 public:
  // Bit 0: ours is a client. Bit 1: TLS 1.2 only. Bit 2: the handshake is done before the first step. Bit 3: our socket is small.
  explicit Play(uint8_t settings) : pair_(make(settings)) {
    if (settings & 8) pair_.narrow();
    pair_.peer.on_output = [this](std::string& bytes) { spoil(bytes); };
    if (settings & 4) is_ready_ = pair_.shake_hands() == IoResult::Kind::ok;
  }

  void run(const uint8_t* data, size_t size) {
    for (size_t i = 0; i < size && pair_.session; ++i) {
      step(Step(data[i] & 31), size_t(data[i] >> 5));
      check();
    }
  }

 private:
  static TlsPair make(uint8_t settings) {
    World& w = world();
    const size_t version = settings & 2 ? 0 : 1;
    return settings & 1 ? w.pairs.call(World::shared(w.servers[version])) : w.pairs.serve(World::shared(w.clients[version]));
  }
  static size_t amount(size_t how_much) {
    constexpr size_t kAmounts[8] = {0, 1, 13, 1300, 5000, 16384, 40'000, 150'000};
    return kAmounts[how_much];
  }

  void step(Step s, size_t how_much) {
    TlsPeer& peer = pair_.peer;
    switch (s) {
      case Step::exchange:
        for (size_t i = 0; i <= how_much; ++i) peer.pump(), go_on(), read(4096);
        return;
      case Step::peer: return peer.pump();
      case Step::shake_hands: return go_on();
      case Step::read: return read(1 + amount(how_much));
      case Step::peek: return is_ready_ ? void(pair_.session->peek(pair_.fd.get())) : void();
      case Step::write: return write(amount(how_much), 1);
      case Step::write_again: return write(amount(how_much), 5);
      case Step::send: return send(amount(how_much));
      case Step::say_end: return peer.say_end();
      case Step::end: return pair_.session->end(pair_.fd.get());
      case Step::update_keys:
      case Step::ask_for_keys:
        for (size_t i = 0; i <= how_much * 40 && peer.ready() && !is_old(); ++i) peer.update_keys(s == Step::ask_for_keys);
        return;
      case Step::ticket:
        if (peer.ready() && SSL_is_server(peer.ssl()) && !is_old()) SSL_new_session_ticket(peer.ssl()), SSL_do_handshake(peer.ssl());
        return;
      case Step::renegotiate:
        if (peer.ready() && is_old()) SSL_renegotiate(peer.ssl()), SSL_do_handshake(peer.ssl());
        return;
      case Step::half_close: return peer.socket.half_close();
      case Step::close: return peer.socket.close();
      case Step::reset: return peer.socket.reset();
      case Step::stall: peer.socket.stalled = !peer.socket.stalled; return;
      case Step::sip: peer.sips = !peer.sips; return;
      case Step::hold: peer.holds = !peer.holds; return;
      case Step::narrow: return pair_.narrow();
      case Step::piece: peer.piece = how_much == 7 ? SIZE_MAX : 1 + amount(how_much); return;
      case Step::pause: world().pairs.now_us += 400'000 * how_much; return;
      case Step::drop_session: pair_.session.reset(); return;
      default:
        spoils_ = s;
        how_much_ = how_much;
    }
  }

  [[nodiscard]] bool is_old() const { return SSL_version(pair_.peer.ssl()) < TLS1_3_VERSION; }

  void go_on() {
    if (is_ready_ || has_failed_) return;
    const IoResult r = pair_.session->handshake(pair_.fd.get());
    is_ready_ = r.kind == IoResult::Kind::ok;
    has_failed_ = !is_ready_ && r.kind != IoResult::Kind::would_block;
    require(!has_failed_ || !pair_.session->why().empty(), "a handshake failed without a word");
  }
  void read(size_t room) {
    if (!is_ready_ || pair_.received.size() > kMost) return;
    (void)pair_.read(room);
  }
  // Offers what was not accepted before, cut into some parts.
  void write(size_t size, int count) {
    if (!is_ready_) return;
    size = std::min(size, kMost - accepted_);
    iovec parts[5];
    size_t at = accepted_;
    for (int i = 0; i < count; ++i) {
      const size_t n = i == count - 1 ? accepted_ + size - at : size / (size_t(count) * 2 - size_t(i));
      parts[i] = {const_cast<char*>(stream().data()) + at, n};
      at += n;
    }
    const IoResult r = pair_.session->write(pair_.fd.get(), parts, count);
    require(r.kind == IoResult::Kind::ok ? r.bytes <= size : r.bytes == 0, "more was written than was offered");
    accepted_ += r.bytes;
  }
  void send(size_t size) {
    size = std::min(size, kMost - sent_);
    pair_.peer.send(std::string_view(stream()).substr(sent_, size));
    sent_ += size;
  }

  // What the peer is about to send, once.
  void spoil(std::string& bytes) {
    if (bytes.empty() && spoils_ != Step::garbage && spoils_ != Step::record && spoils_ != Step::alert) return;
    const Step how = std::exchange(spoils_, Step::exchange);
    const size_t at = bytes.empty() ? 0 : (how_much_ * 37) % bytes.size();
    switch (how) {
      case Step::flip: bytes[at] = char(bytes[at] ^ (1 << how_much_)); return;
      case Step::truncate: bytes.resize(at); return;
      case Step::drop: bytes.clear(); return;
      case Step::repeat: bytes += bytes; return;
      case Step::reverse: std::reverse(bytes.begin() + std::ptrdiff_t(at), bytes.end()); return;
      case Step::garbage: bytes.insert(at, stream().substr(how_much_ * 1000, 1 + how_much_ * 20)); return;
      case Step::record: bytes += std::string{char(20 + how_much_), 3, 3, 0, 40} + stream().substr(0, 40); return;
      case Step::alert: bytes += std::string{21, 3, 3, 0, 2, char(1 + how_much_ % 2), char(how_much_ * 10)}; return;
      default: return;
    }
  }

  void check() {
    require(world().pairs.worker.sealed.empty(), "sealed bytes were left behind");
    // The records of one batch may be on their way before it is accepted.
    require(pair_.peer.received.size() <= accepted_ + TlsWorker::kBatch + TlsWorker::kRecord, "the peer got more than was accepted");
    require(goes_on(pair_.peer.received, peer_checked_), "the peer got something else than was written");
    require(pair_.received.size() <= sent_ && goes_on(pair_.received, checked_), "something else was read than was sent");
    if (!pair_.session) return;
    require(static_cast<OpenSslSession&>(*pair_.session).memory() <= 1 << 20, "too much is held");
    ERR_clear_error();
  }

  // Whether what came since the last look is what comes next in the stream.
  static bool goes_on(const std::string& got, size_t& checked) {
    const size_t from = std::exchange(checked, got.size());
    return stream().compare(from, got.size() - from, got, from) == 0;
  }

  TlsPair pair_;
  bool is_ready_ = false;
  bool has_failed_ = false;
  size_t accepted_ = 0;
  size_t sent_ = 0;
  size_t checked_ = 0;
  size_t peer_checked_ = 0;
  Step spoils_ = Step::exchange;
  size_t how_much_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 256) return 0;
  (void)world();
  const size_t fds = open_fds();
  Play(data[0]).run(data + 1, size - 1);
  require(open_fds() == fds, "descriptors were left open");
  return 0;
}
