// What the fields that frame and route say, gathered line by line while a head is parsed.
// Owns     nothing; writes the facts of a MessageHead.
#pragma once
#include <cstdint>
#include <string_view>

#include "http/message_head.h"
#include "http/parse_error.h"

namespace weir {

class FieldFacts {
 public:
  // Takes one field into account. Call it for every field whose id is not `other`; all but a few ids say nothing.
  [[nodiscard]] ParseError note(MessageHead& head, const HeaderRef& field, bool is_request);

  // After the last field: version, Connection and Upgrade become keep_alive, has_upgrade and so on.
  void settle(MessageHead& head) const;

  [[nodiscard]] bool has_host() const { return host_; }
  [[nodiscard]] bool has_transfer_encoding() const { return transfer_encoding_; }

 private:
  ParseError note_host(MessageHead& head, const HeaderRef& field);
  ParseError note_transfer_encoding(std::string_view value);
  void note_connection(MessageHead& head, std::string_view value);
  void note_upgrade(std::string_view value);

  bool host_ = false;
  bool transfer_encoding_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  bool connection_upgrade_ = false;
  bool offers_h2c_ = false;
  bool offers_other_ = false;  // an upgrade to something besides h2c
};

// 1*DIGIT up to 2^63-1, nothing else (RFC 9110 8.6).
[[nodiscard]] bool parse_content_length(std::string_view text, uint64_t& length);

}  // namespace weir
