#include "http/identity.h"

#include <charconv>
#include <cstring>

#include "http/head_parts.h"
#include "http/header_names.h"

namespace weir {

namespace {

// Host or IPv6 address as a Forwarded node: quoted where a token may not hold it (RFC 7239 6).
void put_forwarded_node(ByteSink& out, std::string_view key, std::string_view value, bool v6) {
  out.put(key);
  const bool quoted = v6 || value.find_first_of(":[]") != std::string_view::npos;
  if (quoted) out.put('"');
  if (v6) out.put('[');
  out.put(value);
  if (v6) out.put(']');
  if (quoted) out.put('"');
}

class Identity {
 public:
  Identity(ByteSink& out, const HeadSources& from) : out_(out), from_(from), head_(from.exchange.request), peer_size_(from.client.peer.print(peer_)) {
    if (from.client.unix_peer) {
      memcpy(peer_, "unix:", 5);
      peer_size_ = 5;
    }
  }

  void put(const HeaderEdits& edits, const RequestEdits* dynamic) {
    write(HeaderId::x_forwarded_for, abi::forwarded::for_, edits, dynamic, &Identity::put_for);
    write(HeaderId::x_forwarded_proto, abi::forwarded::proto, edits, dynamic, &Identity::put_proto);
    write(HeaderId::x_forwarded_host, abi::forwarded::host, edits, dynamic, &Identity::put_host);
    write(HeaderId::x_forwarded_port, abi::forwarded::port, edits, dynamic, &Identity::put_port);
    write(HeaderId::forwarded, abi::forwarded::forwarded, edits, dynamic, &Identity::put_forwarded);
    write(HeaderId::x_real_ip, abi::forwarded::real_ip, edits, dynamic, &Identity::put_real_ip);
    write(HeaderId::x_request_id, abi::forwarded::request_id, edits, dynamic, &Identity::put_request_id);
    put_certificate();
  }

 private:
  using Writer = void (Identity::*)();
  void write(HeaderId id, uint32_t flag, const HeaderEdits& edits, const RequestEdits* dynamic, Writer writer) {
    if (!(from_.listener.forwarded & flag) || edits.drops(id, {})) return;
    if (dynamic && replaced(*dynamic, id)) return;
    (this->*writer)();
  }
  static bool replaced(const RequestEdits& dynamic, HeaderId id) {
    for (const auto& [name, value] : dynamic.set)
      if (header_id_of(name) == id) return true;
    for (const std::string& name : dynamic.removed)
      if (header_id_of(name) == id) return true;
    return false;
  }

  void put_for() {
    out_.put("X-Forwarded-For: ");
    if (from_.client.trusted) put_list(HeaderId::x_forwarded_for);
    out_.put({peer_, peer_size_});
    out_.put("\r\n");
  }
  void put_list(HeaderId id) {
    each_value(head_, id, [&](std::string_view v) {
      if (v.empty()) return;
      out_.put(v);
      out_.put(", ");
    });
  }
  std::string_view kept(HeaderId id) { return from_.client.trusted ? first_value(head_, id) : std::string_view(); }
  void put_kept_or(std::string_view name, HeaderId id, std::string_view otherwise) {
    const std::string_view v = kept(id);
    put_header(out_, name, v.empty() ? otherwise : v);
  }
  void put_proto() { put_kept_or("X-Forwarded-Proto", HeaderId::x_forwarded_proto, from_.client.scheme()); }
  void put_host() {
    const std::string_view host = head_.text(head_.authority);
    if (!host.empty() || from_.client.trusted) put_kept_or("X-Forwarded-Host", HeaderId::x_forwarded_host, host);
  }
  void put_port() {
    char text[8];
    const uint16_t port = from_.client.public_port();
    const size_t size = port == 0 ? 0 : size_t(std::to_chars(text, text + sizeof text, port).ptr - text);
    if (size > 0 || from_.client.trusted) put_kept_or("X-Forwarded-Port", HeaderId::x_forwarded_port, {text, size});
  }
  void put_forwarded() {
    out_.put("Forwarded: ");
    if (from_.client.trusted) put_list(HeaderId::forwarded);
    if (from_.client.unix_peer) out_.put("for=_unix");
    else put_forwarded_node(out_, "for=", {peer_, peer_size_}, !from_.client.peer.is_v4());
    const std::string_view host = head_.text(head_.authority);
    if (!host.empty()) put_forwarded_node(out_, ";host=", host, false);
    out_.put(";proto=");
    out_.put(from_.client.scheme());
    out_.put("\r\n");
  }
  void put_real_ip() {
    if (!from_.client.trusted) return put_header(out_, "X-Real-IP", {peer_, peer_size_});
    const PeerIp ip = client_ip(from_.exchange, from_.client, from_.listener);
    if (ip.is_none()) return put_header(out_, "X-Real-IP", {peer_, peer_size_});
    char text[48];
    put_header(out_, "X-Real-IP", {text, ip.print(text)});
  }
  // Who the client proved to be. Nobody else can say so: what clients send under these names is dropped.
  void put_certificate() {
    const PeerCertificate* shown = from_.client.stream.tls() ? from_.client.stream.tls()->peer() : nullptr;
    if (!shown) return;
    if (!from_.listener.certificate_subject.empty()) put_header(out_, from_.listener.certificate_subject, shown->subject);
    if (!from_.listener.certificate_fingerprint.empty()) put_header(out_, from_.listener.certificate_fingerprint, shown->fingerprint);
  }
  void put_request_id() { put_header(out_, "X-Request-Id", request_id(from_)); }

  ByteSink& out_;
  const HeadSources& from_;
  const MessageHead& head_;
  char peer_[48];
  size_t peer_size_;
};

}  // namespace

void write_identity(ByteSink& out, const HeadSources& from) {
  Identity(out, from).put(from.exchange.plan->request, from.exchange.edits.get());
}

PeerIp client_ip(const Exchange& ex, const ClientConnection& client, const ListenerSettings& listener) {
  PeerIp ip = client.peer;
  if (!client.trusted) return ip;
  // Right to left: each trusted hop vouches for the address to its left; the first one that is not trusted is the client.
  for (unsigned i = ex.request.header_count; i-- > 0;) {
    const HeaderRef& h = ex.request.headers[i];
    if (h.id != HeaderId::x_forwarded_for) continue;
    std::string_view list = ex.request.value(h);
    while (!list.empty()) {
      const size_t comma = list.rfind(',');
      const std::string_view item = comma == std::string_view::npos ? list : list.substr(comma + 1);
      list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
      PeerIp next;
      if (!PeerIp::parse(item, next)) return ip;
      ip = next;
      if (!listener.trusted.contains(next)) return ip;
    }
  }
  return ip;
}

std::string_view request_id(const HeadSources& from) {
  Exchange& ex = from.exchange;
  if (from.client.trusted) {
    const std::string_view sent = first_value(ex.request, HeaderId::x_request_id);
    if (!sent.empty() && sent.size() <= 128) return sent;
  }
  if (ex.request_id_len == 0) {
    from.random.hex32(ex.request_id);
    ex.request_id_len = 32;
  }
  return {ex.request_id, ex.request_id_len};
}

}  // namespace weir
