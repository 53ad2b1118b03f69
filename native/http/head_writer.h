// Heads as we send them: parsed heads plus the header program of a route. Nothing of what came in is passed on but what was parsed.
#pragma once
#include "base/byte_sink.h"
#include "base/random.h"
#include "http/exchange.h"
#include "http/listener_settings.h"
#include "upstream/server.h"

namespace weir {

struct HeadSources {
  Exchange& exchange;
  const ClientConnection& client;
  const ListenerSettings& listener;
  const Server* server;
  Random& random;
};

void write_request_head(ByteSink& out, const HeadSources& from);

struct ResponseShape {
  ResponseFraming framing;
  bool close;              // say `Connection: close`
  bool keep_alive_1_0;     // say `Connection: keep-alive` to an HTTP/1.0 client
  bool switching = false;  // 101: Connection and Upgrade are passed on
};
void write_response_head(ByteSink& out, const HeadSources& from, const ResponseShape& shape);

// A 1xx response, without the header program.
void write_interim_head(ByteSink& out, const Exchange& ex);

void write_answer_head(ByteSink& out, const HeadSources& from, const Answer& answer, std::string_view content_type, size_t length,
                       std::string_view date, bool close);

// The address that the client is taken to have: the peer, or what trusted proxies say of it, read from right to left.
[[nodiscard]] PeerIp client_ip(const Exchange& ex, const ClientConnection& client, const ListenerSettings& listener);
[[nodiscard]] std::string_view request_id(const HeadSources& from);

}  // namespace weir
