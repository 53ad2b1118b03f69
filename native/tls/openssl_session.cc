#include "tls/openssl_session.h"

#include <errno.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir {

namespace {
// Records of one segment each while a response begins: a browser can work with what it has, where it would have to wait for the rest
// of a long record. Later, and until a pause of so long, long records: fewer, and less work for both.
constexpr size_t kShortRecord = 1300;
constexpr uint32_t kShortBytes = 40 * 1300;
constexpr uint64_t kPauseUs = 1'000'000;

std::string hex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

// RFC 4514, on one line whatever a certificate holds: OpenSSL escapes control characters and everything beyond ASCII.
std::string text_of(const X509_NAME* name) {
  BioHandle out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return size > 0 ? std::string(bytes, size_t(size)) : std::string();
}
}  // namespace

BIO_METHOD* OpenSslSession::bio_method() {
  static const BioMethod kMethod = [] {
    BioMethod m(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir"));
    BIO_meth_set_create(m.get(), [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    BIO_meth_set_ctrl(m.get(), [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
    BIO_meth_set_read(m.get(), [](BIO* bio, char* to, int room) {
      BIO_clear_retry_flags(bio);
      const int n = static_cast<OpenSslSession*>(BIO_get_data(bio))->receive(to, room);
      if (n == -EAGAIN) BIO_set_retry_read(bio);
      return n < 0 ? -1 : n;
    });
    BIO_meth_set_write(m.get(), [](BIO* bio, const char* bytes, int size) {
      static_cast<OpenSslSession*>(BIO_get_data(bio))->worker_.sealed.append(bytes, size_t(size));
      return size;
    });
    return m;
  }();
  return kMethod.get();
}

std::unique_ptr<OpenSslSession> OpenSslSession::make(SSL_CTX* context, Role role, TlsWorker& worker) {
  SslHandle ssl(SSL_new(context));
  BioHandle bio(BIO_new(bio_method()));
  if (!ssl || !bio) return ERR_clear_error(), nullptr;
  std::unique_ptr<OpenSslSession> session(new OpenSslSession(std::move(ssl), role, worker));
  BIO_set_data(bio.get(), session.get());
  SSL_set_bio(session->ssl(), bio.get(), bio.get());
  (void)bio.release();
  role == Role::server ? SSL_set_accept_state(session->ssl()) : SSL_set_connect_state(session->ssl());
  return session;
}

OpenSslSession::~OpenSslSession() {
  // Without that OpenSSL takes the end of a connection for a reason to forget its session.
  if (is_ready_) SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

// A read that did not fill the room has emptied the socket: another one would only say so.
int OpenSslSession::receive(char* to, int room) {
  if (drained_) return -EAGAIN;
  if (is_ready_ && barren_ > kMostBarren) {
    state_ = State::failed;
    return -EIO;
  }
  const IoResult r = read_some(fd_, to, size_t(room));
  switch (r.kind) {
    case IoResult::Kind::ok:
      drained_ = r.bytes < size_t(room);
      barren_ += r.bytes;
      return int(r.bytes);
    case IoResult::Kind::would_block: drained_ = true; return -EAGAIN;
    case IoResult::Kind::closed: state_ = State::cut; return 0;
    case IoResult::Kind::failed: break;
  }
  error_ = r.error;
  state_ = State::failed;
  return -EIO;
}

// Gives the socket what is pending, and behind it what this call has sealed. ok: all of it.
IoResult::Kind OpenSslSession::flush(int fd) {
  std::string& sealed = worker_.sealed;
  if (!pending_.empty()) {
    pending_.append(sealed);
    sealed.clear();
  }
  const std::string& bytes = pending_.empty() ? sealed : pending_;
  size_t at = pending_at_;
  IoResult::Kind kind = IoResult::Kind::ok;
  while (at < bytes.size()) {
    const iovec part{const_cast<char*>(bytes.data()) + at, bytes.size() - at};
    const IoResult r = write_some(fd, &part, 1);
    if (r.kind == IoResult::Kind::failed) {
      error_ = r.error;
      state_ = State::failed;
    }
    if (r.kind != IoResult::Kind::ok) {
      kind = r.kind;
      break;
    }
    at += r.bytes;
    sent_ += r.bytes;
  }
  if (kind == IoResult::Kind::would_block) {
    if (pending_.empty()) pending_.assign(sealed, at), at = 0;
    // A socket that always takes some of it and never all must not make this grow.
    if (at > pending_.size() / 2) pending_.erase(0, std::exchange(at, 0));
    pending_at_ = at;
    if (pending_.size() - pending_at_ > kMostPending + owed_ * 2) state_ = State::failed, kind = IoResult::Kind::failed;
  } else {
    std::string().swap(pending_);
    pending_at_ = 0;
  }
  sealed.clear();
  return kind;
}

IoResult OpenSslSession::outcome() const {
  switch (state_) {
    case State::open: return {IoResult::Kind::would_block};
    case State::ended: return {IoResult::Kind::closed};
    case State::cut: return {IoResult::Kind::closed, 0, 0, true};
    case State::failed: break;
  }
  return {IoResult::Kind::failed, 0, error_ != 0 ? error_ : EPROTO};
}

void OpenSslSession::note_failure(int result) {
  const int error = SSL_get_error(ssl(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  if (error == SSL_ERROR_ZERO_RETURN) {
    state_ = State::ended;
    return;
  }
  // The socket's own end or error is known already.
  if (state_ == State::open) state_ = State::failed;
  if (!is_ready_) {
    const long verified = SSL_get_verify_result(ssl());
    if (state_ == State::cut) why_ = "the connection ended in the handshake";
    else if (error_ != 0) why_ = strerror(error_);
    else if (verified != X509_V_OK && role_ == Role::client && SSL_get_verify_mode(ssl()) != SSL_VERIFY_NONE) why_ = X509_verify_cert_error_string(verified);
    else why_ = take_openssl_error("the handshake failed");
  }
  ERR_clear_error();
}

IoResult OpenSslSession::handshake(int fd) {
  fd_ = fd;
  drained_ = false;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl());
  if (result != 1) note_failure(result);
  const IoResult::Kind flushed = flush(fd);
  if (result != 1 || flushed == IoResult::Kind::failed) {
    if (state_ != State::open && why_.empty()) why_ = error_ != 0 ? strerror(error_) : "the connection ended in the handshake";
    return outcome();
  }
  // Nobody would write the rest when the socket takes more: it is ours until it has left.
  if (flushed == IoResult::Kind::would_block) return {flushed};
  is_ready_ = true;
  note_peer();
  return {IoResult::Kind::ok};
}

void OpenSslSession::note_peer() {
  if (role_ == Role::client || SSL_get_verify_mode(ssl()) == SSL_VERIFY_NONE) return;
  X509Handle certificate(SSL_get1_peer_certificate(ssl()));
  if (!certificate || SSL_get_verify_result(ssl()) != X509_V_OK) return;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!X509_digest(certificate.get(), EVP_sha256(), digest, &size)) return;
  peer_ = std::make_unique<PeerCertificate>();
  peer_->subject = text_of(X509_get_subject_name(certificate.get()));
  peer_->fingerprint = hex(digest, size);
}

IoResult OpenSslSession::read(int fd, char* to, size_t room) {
  fd_ = fd;
  drained_ = false;
  size_t got = 0;
  ERR_clear_error();
  while (got < room && state_ == State::open) {
    size_t n = 0;
    const int result = SSL_read_ex(ssl(), to + got, room - got, &n);
    if (result == 1) {
      got += n;
      barren_ = 0;
      continue;
    }
    note_failure(result);
    break;
  }
  // An answer to a change of keys, or an alert.
  if (!worker_.sealed.empty() || !pending_.empty()) (void)flush(fd);
  if (got > 0) return {IoResult::Kind::ok, got};
  return outcome();
}

// A header, the tag of an AEAD, and the type of the content (RFC 8446 5.2) or the nonce of AES-GCM (RFC 5288 3).
uint32_t OpenSslSession::plain_of(uint32_t sealed) const {
  const uint32_t more = SSL_version(ssl()) == TLS1_3_VERSION ? 5 + 16 + 1 : 5 + 16 + 8;
  const uint32_t records = (sealed + TlsWorker::kRecord + more - 1) / (TlsWorker::kRecord + more);
  return sealed > records * more ? sealed - records * more : sealed;
}

IoResult OpenSslSession::peek(int fd) {
  if (state_ != State::open) return outcome();
  fd_ = fd;
  drained_ = false;
  ERR_clear_error();
  char byte;
  size_t n = 0;
  const int result = SSL_peek_ex(ssl(), &byte, 1, &n);
  if (result != 1) note_failure(result);
  // An answer to a change of keys may have to leave also where there is something to read.
  if (!worker_.sealed.empty() || !pending_.empty()) (void)flush(fd);
  if (result == 1) return {IoResult::Kind::ok, 1};
  return outcome();
}

size_t OpenSslSession::record_size() { return recent_ < kShortBytes ? kShortRecord : TlsWorker::kRecord; }

bool OpenSslSession::seal(const char* bytes, size_t size) {
  size_t n = 0;
  const int result = SSL_write_ex(ssl(), bytes, size, &n);
  if (result == 1 && n == size) {
    recent_ = uint32_t(std::min<size_t>(recent_ + size, kShortBytes));
    return true;
  }
  note_failure(result);
  state_ = State::failed;
  // Nobody else may send these.
  worker_.sealed.clear();
  return false;
}

IoResult OpenSslSession::write(int fd, const iovec* parts, int count) {
  if (state_ == State::failed || said_end_) return {IoResult::Kind::failed, 0, error_ != 0 ? error_ : EPIPE};
  if (!pending_.empty()) {
    const IoResult::Kind flushed = flush(fd);
    if (flushed != IoResult::Kind::ok) return {flushed, 0, error_ != 0 ? error_ : EPIPE};
  }
  fd_ = fd;
  ERR_clear_error();
  if (worker_.now_us - sent_us_ > kPauseUs) recent_ = 0;
  sent_us_ = worker_.now_us;
  size_t done = 0, skip = owed_;
  size_t batch = 0, filled = 0;
  owed_ = 0;
  const auto seal_filled = [&] {
    const bool good = filled == 0 || seal(worker_.plain.get(), filled);
    filled = 0;
    return good;
  };
  // What the socket does not take is owed: its records are made, and nobody may make them again.
  const auto send_batch = [&] {
    const size_t size = std::exchange(batch, 0);
    owed_ = size;
    const IoResult::Kind kind = flush(fd);
    if (kind != IoResult::Kind::ok) return kind;
    owed_ = 0;
    done += size;
    return kind;
  };
  const auto result = [&](IoResult::Kind kind) -> IoResult {
    if (done > 0 && kind == IoResult::Kind::would_block) return {IoResult::Kind::ok, done};
    return {kind, kind == IoResult::Kind::ok ? done : 0, error_ != 0 ? error_ : EPROTO};
  };
  for (int i = 0; i < count; ++i) {
    const char* at = static_cast<const char*>(parts[i].iov_base);
    size_t left = parts[i].iov_len;
    const size_t skipped = std::min(skip, left);
    skip -= skipped;
    done += skipped;
    at += skipped;
    left -= skipped;
    while (left > 0) {
      const size_t whole = record_size();
      const size_t n = std::min(left, whole > filled ? whole - filled : 0);
      if (filled == 0 && n == whole) {
        if (!seal(at, n)) return result(IoResult::Kind::failed);
      } else {
        memcpy(worker_.plain.get() + filled, at, n);
        filled += n;
        if (filled >= whole && !seal_filled()) return result(IoResult::Kind::failed);
      }
      at += n;
      left -= n;
      batch += n;
      if (batch < TlsWorker::kBatch) continue;
      if (!seal_filled()) return result(IoResult::Kind::failed);
      if (const IoResult::Kind kind = send_batch(); kind != IoResult::Kind::ok) return result(kind);
    }
  }
  owed_ = skip;  // more was owed than was offered again
  if (!seal_filled()) return result(IoResult::Kind::failed);
  if (batch > 0)
    if (const IoResult::Kind kind = send_batch(); kind != IoResult::Kind::ok) return result(kind);
  return result(IoResult::Kind::ok);
}

void OpenSslSession::end(int fd) {
  if (said_end_ || !is_ready_ || state_ == State::failed) return;
  said_end_ = true;
  // Records that the socket did not take come first, and cannot come any more: an end behind them would be a lie.
  if (!pending_.empty() && flush(fd) != IoResult::Kind::ok) return;
  fd_ = fd;
  ERR_clear_error();
  (void)SSL_shutdown(ssl());
  ERR_clear_error();
  (void)flush(fd);
}

}  // namespace weir
