// A TLS session between a socket and its user: handshakes in any pieces, bytes both ways however sockets and users cut them, what a
// peer may do in between, and moments at which everything is thrown away.
#include "tls/openssl_session.h"

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "openssl_pair.h"

using namespace weir;

namespace {

using Kind = IoResult::Kind;

struct Random {
  uint64_t state;
  size_t below(size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return size_t(state >> 33) % n;
  }
};

std::string bytes_of(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = char(random.below(256));
  return bytes;
}

// Offers `data` from `at` on, cut in some way or other; how many bytes were offered.
size_t offer(TlsPair& pair, Random& random, const std::string& data, size_t at, IoResult& r) {
  constexpr size_t kMost[] = {1, 5, 1300, 20'000, 300'000};
  iovec parts[8];
  const int count = 1 + int(random.below(8));
  size_t offered = 0;
  for (iovec& part : parts) {
    const size_t n = std::min(random.below(kMost[random.below(5)] + 1), data.size() - at - offered);
    part = {const_cast<char*>(data.data()) + at + offered, n};
    if (&part < parts + count) offered += n;
  }
  r = pair.session->write(pair.fd.get(), parts, count);
  return offered;
}

// Sends all of it through a socket that hardly takes anything; false when it does not come to an end.
bool send_all(TlsPair& pair, Random& random, const std::string& data) {
  size_t at = 0;
  for (int rounds = 0; at < data.size() && rounds < 200'000; ++rounds) {
    IoResult r{Kind::ok};
    const size_t offered = offer(pair, random, data, at, r);
    if (r.kind == Kind::ok ? r.bytes > offered : r.kind != Kind::would_block || r.bytes > 0) return false;
    at += r.bytes;
    if (random.below(3) > 0) pair.peer.pump();
  }
  pair.peer.pump();
  return at == data.size();
}

// Reads until so many bytes are there, in rooms of all sizes.
bool read_all(TlsPair& pair, Random& random, size_t size) {
  for (int rounds = 0; pair.received.size() < size && rounds < 200'000; ++rounds) {
    if (random.below(3) > 0) pair.peer.pump();
    const size_t most = random.below(2) ? 8 : 40'000;
    if (pair.read(1 + random.below(most)).kind != Kind::would_block) return false;
  }
  return pair.received.size() == size;
}

void expect_broken(TlsPair& pair) {
  const IoResult r = pair.read();
  CHECK_EQ(r.kind, Kind::failed);
  CHECK(r.error != 0);
  CHECK(pair.session->has_news());
  CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::failed);
  CHECK_EQ(pair.write("more").kind, Kind::failed);
}

}  // namespace

TEST("a TLS handshake completes in any pieces, and what came behind it is there at once") {
  TlsPairs pairs;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const size_t piece : {size_t(1), size_t(7), size_t(300), SIZE_MAX}) {
      for (const bool serves : {true, false}) {
        TlsPair pair = serves ? pairs.serve(version) : pairs.call(version);
        pair.peer.piece = piece;
        pair.peer.send("said early");
        CHECK_EQ(pair.shake_hands(), Kind::ok);
        for (int i = 0; i < 3000 && pair.received.size() < 10; ++i) {
          CHECK_EQ(pair.read().kind, Kind::would_block);
          pair.peer.pump();
        }
        CHECK_EQ(pair.received, "said early");
        CHECK_EQ(SSL_version(pair.peer.ssl()), version);
        CHECK(!pair.session->is_resumed());
        CHECK_EQ(pair.session->why(), "");
      }
    }
  }
}

TEST("what comes with the last bytes of a TLS handshake is read without another event") {
  TlsPairs pairs;
  TlsPair pair = pairs.serve(TLS1_3_VERSION);
  pair.peer.pump();
  CHECK_EQ(pair.session->handshake(pair.fd.get()).kind, Kind::would_block);
  pair.peer.send("first words");
  pair.peer.pump();
  CHECK_EQ(pair.session->handshake(pair.fd.get()).kind, Kind::ok);
  char byte;
  CHECK_EQ(peek_some(pair.fd.get(), &byte, 1).kind, Kind::would_block);
  CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::ok);
  CHECK_EQ(pair.read(4).kind, Kind::would_block);
  CHECK_EQ(pair.received, "first words");
}

TEST("through TLS comes exactly what was sent, though sockets take little and offers are cut anew each time") {
  TlsPairs pairs;
  uint64_t seed = 0;
  for (const size_t size : {1, 2, 1299, 1300, 1301, 16'384, 16'385, 52'001, 65'536, 65'537, 131'073, 300'000}) {
    pairs.each([&](TlsPair pair, int) {
      Random random{++seed};
      pair.narrow();
      const std::string ours = bytes_of(random, size), theirs = bytes_of(random, size);
      CHECK(send_all(pair, random, ours));
      CHECK(pair.peer.received == ours);
      pair.peer.piece = 1 + random.below(9000);
      pair.peer.send(theirs);
      CHECK(read_all(pair, random, size));
      CHECK(pair.received == theirs);
      if (pair.peer.received != ours || pair.received != theirs) check::report(__FILE__, __LINE__, "seed " + std::to_string(seed));
    });
  }
}

TEST("many small writes and pauses lose nothing of a TLS connection") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.narrow();
    Random random{7};
    std::string all;
    for (int i = 0; i < 60; ++i) {
      // A pause makes records short again.
      if (random.below(3) == 0) pairs.now_us += 1'500'000;
      const std::string data = bytes_of(random, random.below(30'000));
      CHECK(send_all(pair, random, data));
      all += data;
    }
    CHECK(pair.peer.received == all);
  });
}

TEST("what TLS said to have written is with the kernel, and the rest is not lost when nobody offers it again") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.narrow();
    pair.peer.socket.stalled = true;
    Random random{11};
    const std::string data = bytes_of(random, 200'000);
    size_t at = 0;
    for (int i = 0; i < 20; ++i) {
      IoResult r{Kind::ok};
      (void)offer(pair, random, data, at, r);
      at += r.bytes;
      if (r.kind == Kind::would_block) pair.peer.socket.stalled = false, pair.peer.pump(), pair.peer.socket.stalled = true;
    }
    pair.peer.socket.stalled = false;
    for (int i = 0; i < 100; ++i) {
      pair.peer.pump();
      if (at > 0) (void)pair.session->write(pair.fd.get(), nullptr, 0);
    }
    CHECK(pair.peer.received.size() >= at);
    CHECK(data.compare(0, pair.peer.received.size(), pair.peer.received) == 0);
    // Nothing that was sealed is sealed again.
    CHECK(send_all(pair, random, data.substr(at)));
    CHECK(pair.peer.received == data);
  });
}

TEST("an empty write says nothing on a TLS connection") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    const uint64_t before = pair.session->sent();
    const iovec empty[3] = {{nullptr, 0}, {nullptr, 0}, {nullptr, 0}};
    CHECK_EQ(pair.session->write(pair.fd.get(), empty, 3).kind, Kind::ok);
    CHECK_EQ(pair.session->write(pair.fd.get(), nullptr, 0).kind, Kind::ok);
    CHECK_EQ(pair.session->sent(), before);
    CHECK_EQ(pair.write("x").bytes, 1u);
    CHECK(pair.session->sent() > before);
    pair.peer.pump();
    CHECK_EQ(pair.peer.received, "x");
  });
}

TEST("a peek at a TLS connection takes nothing") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::would_block);
    pair.peer.send("abc");
    for (int i = 0; i < 3; ++i) CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::ok);
    CHECK_EQ(pair.read().kind, Kind::would_block);
    CHECK_EQ(pair.received, "abc");
    CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::would_block);
    pair.peer.say_end();
    const IoResult r = pair.session->peek(pair.fd.get());
    CHECK(r.kind == Kind::closed && !r.cut);
  });
}

TEST("a peer's close_notify is an end in order, and news that the socket does not tell of") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.peer.send("last words");
    pair.peer.say_end();
    char to[64];
    const IoResult words = pair.session->read(pair.fd.get(), to, sizeof to);
    CHECK(words.kind == Kind::ok && words.bytes == 10);
    CHECK(pair.session->has_news());
    for (int i = 0; i < 2; ++i) {
      const IoResult r = pair.session->read(pair.fd.get(), to, sizeof to);
      CHECK(r.kind == Kind::closed && !r.cut);
    }
    // Half of it is still ours.
    CHECK_EQ(pair.write("and ours").bytes, 8u);
    pair.session->end(pair.fd.get());
    pair.peer.pump();
    CHECK_EQ(pair.peer.received, "and ours");
    CHECK(pair.peer.saw_end());
    CHECK_EQ(pair.write("too late").kind, Kind::failed);
  });
}

TEST("a TLS connection that ends without close_notify was cut") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.peer.send("half of it");
    pair.peer.socket.half_close();
    const IoResult r = pair.read();
    CHECK_EQ(pair.received, "half of it");
    CHECK(r.kind == Kind::would_block || (r.kind == Kind::closed && r.cut));
    const IoResult end = pair.read();
    CHECK(end.kind == Kind::closed && end.cut);
    // Whoever cut it may still listen.
    CHECK_EQ(pair.write("an answer").bytes, 9u);
    pair.peer.pump();
    CHECK_EQ(pair.peer.received, "an answer");
  });
}

TEST("a TLS connection that was cut inside a record was cut") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.peer.on_output = [](std::string& bytes) { bytes.resize(bytes.size() / 2); };
    pair.peer.send(std::string(500, 'x'));
    pair.peer.socket.half_close();
    (void)pair.read();
    const IoResult end = pair.read();
    CHECK(end.kind == Kind::closed && end.cut);
    CHECK_EQ(pair.received, "");
  });
}

TEST("a TLS connection that we ended is still read") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    CHECK_EQ(pair.write("our last").bytes, 8u);
    pair.session->end(pair.fd.get());
    pair.session->end(pair.fd.get());
    pair.peer.pump();
    CHECK(pair.peer.saw_end());
    CHECK_EQ(pair.peer.received, "our last");
    pair.peer.send("their answer");
    pair.peer.say_end();
    const IoResult r = pair.read();
    CHECK_EQ(pair.received, "their answer");
    CHECK(r.kind == Kind::closed && !r.cut);
  });
}

TEST("no close_notify follows TLS records that the socket did not take") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.narrow();
    pair.peer.socket.stalled = true;
    const std::string data(100'000, 'x');
    const IoResult r = pair.write(data);
    CHECK(r.kind == Kind::would_block || r.bytes < data.size());
    pair.session->end(pair.fd.get());
    pair.session.reset();
    pair.fd.reset();
    pair.peer.socket.stalled = false;
    pair.peer.pump();
    CHECK(!pair.peer.saw_end());
    CHECK(pair.peer.received.size() < data.size());
  });
}

TEST("a peer may change its TLS keys, and ask for ours to be changed, at any time") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = pairs.begin(serves, TLS1_3_VERSION);
    std::string theirs, ours;
    for (int i = 0; i < 40; ++i) {
      pair.peer.update_keys(i % 2);
      if (i % 3 == 0) {
        CHECK_EQ(pair.session->peek(pair.fd.get()).kind, Kind::would_block);
      }
      pair.peer.send("t" + std::to_string(i));
      CHECK_EQ(pair.read().kind, Kind::would_block);
      const std::string said = "o" + std::to_string(i);
      CHECK_EQ(pair.write(said).bytes, said.size());
      pair.peer.pump();
      theirs += "t" + std::to_string(i);
      ours += said;
    }
    CHECK_EQ(pair.received, theirs);
    CHECK_EQ(pair.peer.received, ours);
    CHECK_EQ(pair.peer.failure, "");
  }
}

TEST("what a peek at a TLS connection makes us answer leaves on this connection, and on no other") {
  TlsPairs pairs;
  TlsPair first = pairs.begin(true, TLS1_3_VERSION), second = pairs.begin(true, TLS1_3_VERSION);
  first.peer.update_keys(true);
  first.peer.send("question");
  CHECK_EQ(first.session->peek(first.fd.get()).kind, Kind::ok);
  CHECK(pairs.worker.sealed.empty());
  CHECK_EQ(second.write("to the second").bytes, 13u);
  CHECK_EQ(first.write("to the first").bytes, 12u);
  for (TlsPair* pair : {&first, &second}) {
    pair->peer.pump();
    CHECK_EQ(pair->peer.received, pair == &first ? "to the first" : "to the second");
    CHECK_EQ(pair->peer.failure, "");
  }
  CHECK_EQ(first.read().kind, Kind::would_block);
  CHECK_EQ(first.received, "question");
}

TEST("keys that change in the middle of partial TLS writes harm nothing") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = pairs.begin(serves, TLS1_3_VERSION);
    pair.narrow();
    Random random{23};
    const std::string data = bytes_of(random, 300'000);
    for (size_t at = 0, rounds = 0; at < data.size() && rounds < 100'000; ++rounds) {
      IoResult r{Kind::ok};
      (void)offer(pair, random, data, at, r);
      CHECK(r.kind == Kind::ok || r.kind == Kind::would_block);
      at += r.bytes;
      if (random.below(4) == 0) pair.peer.update_keys(true);
      if (random.below(2)) CHECK_EQ(pair.read().kind, Kind::would_block);
      if (random.below(2)) pair.peer.pump();
    }
    pair.peer.pump();
    CHECK(pair.peer.received == data);
    CHECK_EQ(pair.peer.failure, "");
  }
}

TEST("a TLS peer that only ever asks for new keys, and does not read the answers, is given up") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = pairs.begin(serves, TLS1_3_VERSION);
    pair.narrow();
    pair.peer.socket.stalled = true;
    IoResult r{Kind::would_block};
    int asked = 0;
    for (; asked < 30'000 && r.kind == Kind::would_block; ++asked) {
      pair.peer.update_keys(true);
      r = pair.read();
    }
    CHECK_EQ(r.kind, Kind::failed);
    CHECK(asked < 12'000);
    CHECK_EQ(pair.write("x").kind, Kind::failed);
  }
}

TEST("what a TLS peer that reads slowly makes us say is bounded, though it says useful things in between") {
  TlsPairs pairs;
  TlsPair pair = pairs.begin(true, TLS1_3_VERSION);
  const auto* session = static_cast<OpenSslSession*>(pair.session.get());
  pair.narrow();
  pair.peer.socket.stalled = true;
  IoResult r{Kind::would_block};
  for (int i = 0; i < 60'000 && r.kind == Kind::would_block; ++i) {
    pair.peer.update_keys(true);
    if (i % 10 == 0) pair.peer.send("x");
    r = pair.read();
    // Takes as much as is made, so that the socket stays full and its backlog stays as it is.
    char taken[64];
    if (i > 3000) (void)::recv(pair.peer.socket.fd(), taken, 27, MSG_DONTWAIT);
  }
  CHECK_EQ(r.kind, Kind::would_block);
  CHECK(session->memory() <= 512 * 1024);
}

TEST("a flood of TLS messages with nothing in them ends the connection, though everything is read") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = pairs.begin(serves, TLS1_3_VERSION);
    IoResult r{Kind::would_block};
    for (int i = 0; i < 60'000 && r.kind == Kind::would_block; ++i) {
      pair.peer.update_keys(false);
      if (i % 50 == 0) r = pair.read();
    }
    CHECK_EQ(r.kind, Kind::failed);
  }
}

TEST("an alert in the middle breaks a TLS connection, behind what came before") {
  TlsPairs pairs;
  pairs.each([&](TlsPair pair, int) {
    pair.peer.send("before");
    // What the peer cannot understand it answers with an alert.
    pair.peer.socket.received += "\x17\x03\x03" + std::string("\0\x20", 2) + std::string(32, 'x');
    pair.peer.pump();
    CHECK(!pair.peer.failure.empty());
    expect_broken(pair);
    CHECK_EQ(pair.received, "before");
  });
}

TEST("garbage breaks a TLS connection, and the peer is told") {
  TlsPairs pairs;
  Random random{3};
  const std::string forged = "\x17\x03\x03" + std::string("\0\x40", 2) + bytes_of(random, 64);
  for (const std::string& garbage : {forged, std::string("GET / HTTP/1.1\r\n\r\n"), std::string(200, '\0'), "\x16" + forged.substr(1), "\x15" + forged.substr(1),
                                     std::string("\x17\x03\x03\xff\xff") + bytes_of(random, 100)}) {
    pairs.each([&](TlsPair pair, int) {
      pair.peer.send("before");
      pair.peer.socket.send(garbage);
      expect_broken(pair);
      CHECK_EQ(pair.received, "before");
      pair.peer.pump();
      CHECK(!pair.peer.failure.empty());
    });
  }
}

TEST("a record of the TLS handshake that is changed fails it, in words") {
  TlsPairs pairs;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool serves : {true, false}) {
      for (size_t at = 0; at < 700; at += 13) {
        TlsPair pair = serves ? pairs.serve(version) : pairs.call(version);
        size_t seen = 0;
        pair.peer.on_output = [&](std::string& bytes) {
          if (at >= seen && at - seen < bytes.size()) bytes[at - seen] = char(bytes[at - seen] ^ 0x55);
          seen += bytes.size();
        };
        Kind outcome = Kind::would_block;
        for (int i = 0; i < 40 && outcome == Kind::would_block; ++i) {
          pair.peer.pump();
          outcome = pair.session->handshake(pair.fd.get()).kind;
        }
        if (outcome == Kind::failed || outcome == Kind::closed) CHECK(!pair.session->why().empty());
        CHECK_EQ(ERR_peek_error(), 0ul);
      }
    }
  }
}

TEST("a client may not begin a second handshake, and no server may ask for one, in TLS 1.2") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = pairs.begin(serves, TLS1_2_VERSION);
    SSL_renegotiate(pair.peer.ssl());
    SSL_do_handshake(pair.peer.ssl());
    pair.peer.push();
    const uint64_t before = pair.session->sent();
    (void)pair.read();
    // An alert, no handshake.
    CHECK(pair.session->sent() - before < 100);
    pair.peer.pump();
    CHECK(serves ? pair.peer.failure == "no renegotiation" : !pair.peer.failure.empty() || pair.peer.ready());
    CHECK_EQ(ERR_peek_error(), 0ul);
  }
}

TEST("a TLS session may be dropped at any moment") {
  TlsPairs pairs;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool serves : {true, false}) {
      for (int moments = 0; moments < 40; ++moments) {
        TlsPair pair = serves ? pairs.serve(version) : pairs.call(version);
        pair.narrow();
        pair.peer.piece = 100;
        pair.peer.send(std::string(5000, 'x'));
        for (int i = 0, done = 0; i < moments; ++i) {
          pair.peer.pump();
          if (!done) done = pair.session->handshake(pair.fd.get()).kind == Kind::ok;
          else if (i % 3 == 0) (void)pair.write(std::string(70'000, 'y'));
          else (void)pair.read(i % 2 ? 10 : 16384);
        }
        if (moments % 2) pair.session->end(pair.fd.get());
        pair.session.reset();
        CHECK(pairs.worker.sealed.empty());
      }
    }
  }
}

TEST("a TLS peer that leaves in the handshake fails it, in words") {
  TlsPairs pairs;
  for (const bool serves : {true, false}) {
    TlsPair pair = serves ? pairs.serve() : pairs.call();
    pair.peer.piece = 20;
    pair.peer.pump();
    (void)pair.session->handshake(pair.fd.get());
    pair.peer.socket.close();
    Kind outcome = Kind::would_block;
    for (int i = 0; i < 3 && outcome == Kind::would_block; ++i) outcome = pair.session->handshake(pair.fd.get()).kind;
    CHECK(outcome == Kind::closed || outcome == Kind::failed);
    CHECK(!pair.session->why().empty());
    pair.session->end(pair.fd.get());
  }
}
