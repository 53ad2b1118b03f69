// Records that OpenSSL itself would never send: empty, of the largest size, too large, of kinds that do not belong there.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string>

#include "check.h"
#include "openssl_pair.h"

using namespace weir;

namespace {

using Kind = IoResult::Kind;

constexpr char kAlert = 21, kHandshake = 22, kData = 23;

std::string unhex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += char(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

// HKDF-Expand-Label (RFC 8446 7.1).
std::string expand(std::string secret, std::string label, size_t size) {
  std::string digest = "SHA256", prefix = "tls13 ", out(size, '\0');
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, label.data(), label.size()),
      OSSL_PARAM_construct_end(),
  };
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "TLS13-KDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  certificates::require(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(out.data()), size, parameters) == 1, "keys of records");
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

std::string seen_secret;

// With so many zeros behind its type.
struct Record {
  char type;
  std::string content;
  size_t padding = 0;
};

// A client that has shaken hands with a server of ours, and then makes its records itself.
struct Forger {
  Forger() : pair(pairs.serve(context())) {
    CHECK_EQ(pair.shake_hands(), Kind::ok);
    key_ = expand(seen_secret, "key", 16);
    iv_ = expand(seen_secret, "iv", 12);
  }

  void send(std::initializer_list<Record> records) {
    std::string all;
    for (const Record& r : records) all += seal(r);
    pair.peer.socket.send(all);
  }
  static SslContext context() {
    SslContext made = client_peer_context(TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(made.get(), "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_keylog_callback(made.get(), [](const SSL*, const char* line) {
      const std::string_view all = line;
      if (all.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) seen_secret = unhex(all.substr(all.rfind(' ') + 1));
    });
    return made;
  }

  TlsPairs pairs;
  TlsPair pair;

 private:
  // RFC 8446 5.2.
  std::string seal(const Record& r) {
    const std::string inner = r.content + r.type + std::string(r.padding, '\0');
    std::string header{'\x17', '\x03', '\x03', char((inner.size() + 16) >> 8), char(inner.size() + 16)};
    std::string nonce = iv_, sealed(inner.size() + 16, '\0');
    for (int i = 0; i < 8; ++i) nonce[11 - size_t(i)] = char(nonce[11 - size_t(i)] ^ char(sequence_ >> (8 * i)));
    ++sequence_;
    const auto bytes = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    int n = 0;
    EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, bytes(key_), bytes(nonce));
    EVP_EncryptUpdate(cipher, nullptr, &n, bytes(header), int(header.size()));
    EVP_EncryptUpdate(cipher, reinterpret_cast<unsigned char*>(sealed.data()), &n, bytes(inner), int(inner.size()));
    EVP_EncryptFinal_ex(cipher, reinterpret_cast<unsigned char*>(sealed.data()) + n, &n);
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, sealed.data() + inner.size());
    EVP_CIPHER_CTX_free(cipher);
    return header + sealed;
  }

  std::string key_;
  std::string iv_;
  uint64_t sequence_ = 0;
};

}  // namespace

TEST("TLS records of any size are read, with padding and without") {
  Forger f;
  std::string all;
  for (const size_t size : {1, 2, 16'383, 16'384}) {
    const std::string content(size, char('a' + size % 7));
    for (const size_t padding : {size_t(0), size_t(1), size_t(16'384 - size)}) {
      f.send({{kData, content, padding}});
      CHECK_EQ(f.pair.read().kind, Kind::would_block);
      all += content;
    }
  }
  CHECK(f.pair.received == all);
}

TEST("a TLS record that is too large breaks the connection") {
  for (const size_t size : {size_t(16'385), size_t(16'384 + 240)}) {
    Forger f;
    f.send({{kData, "x"}, {kData, std::string(size, 'x')}});
    CHECK_EQ(f.pair.read().kind, Kind::failed);
    CHECK_EQ(f.pair.received, "x");
  }
}

TEST("empty TLS records are nothing, and no end") {
  Forger f;
  f.send({{kData, ""}, {kData, "a"}, {kData, "", 200}, {kData, ""}, {kData, "b"}});
  CHECK_EQ(f.pair.read().kind, Kind::would_block);
  CHECK_EQ(f.pair.received, "ab");
  f.send({{kData, ""}});
  CHECK_EQ(f.pair.session->peek(f.pair.fd.get()).kind, Kind::would_block);
  CHECK_EQ(f.pair.read().kind, Kind::would_block);
  CHECK(!f.pair.session->has_news());
}

TEST("a flood of empty TLS records ends the connection") {
  Forger f;
  IoResult r{Kind::would_block};
  for (int i = 0; i < 20'000 && r.kind == Kind::would_block; ++i) {
    f.send({{kData, ""}});
    r = f.pair.read();
  }
  CHECK_EQ(r.kind, Kind::failed);
}

TEST("alerts end a TLS connection each in its way") {
  using namespace std::string_literals;
  struct Case {
    std::string alert;
    Kind kind;
  };
  for (const Case& c : {Case{"\1\0"s, Kind::closed}, Case{"\2\0"s, Kind::closed}, Case{"\2\x28"s, Kind::failed}, Case{"\2"s, Kind::failed},
                        Case{"\1\x71"s, Kind::failed}}) {
    Forger f;
    f.send({{kData, "x"}, {kAlert, c.alert}});
    const IoResult r = f.pair.read();
    CHECK_EQ(r.kind, c.kind);
    CHECK(!r.cut);
    CHECK_EQ(f.pair.received, "x");
    // What follows an end is nothing any more.
    f.send({{kData, "y"}});
    CHECK_EQ(f.pair.read().kind, c.kind);
    CHECK_EQ(f.pair.received, "x");
  }
}

TEST("what does not belong behind a TLS handshake breaks the connection") {
  using namespace std::string_literals;
  // A second ClientHello, a NewSessionTicket from a client, a Finished, an unknown kind of message and of record, a huge message.
  for (const std::string& message : {"\1\0\0\4abcd"s, "\4\0\0\4abcd"s, "\x14\0\0\4abcd"s, "\x63\0\0\1x"s, "\x18\0\0\1\7"s, "\x18\xff\xff\xff\0"s}) {
    Forger f;
    f.send({{kHandshake, message}});
    CHECK_EQ(f.pair.read().kind, Kind::failed);
    CHECK_EQ(f.pair.received, "");
  }
  Forger f;
  f.send({{99, "x"}});
  CHECK_EQ(f.pair.read().kind, Kind::failed);
}

TEST("a message inside of which TLS data come breaks the connection") {
  using namespace std::string_literals;
  Forger f;
  f.send({{kHandshake, "\x18\0"s}, {kData, "x"}});
  CHECK_EQ(f.pair.read().kind, Kind::failed);
  CHECK_EQ(f.pair.received, "");
}
