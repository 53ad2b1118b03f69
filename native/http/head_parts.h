// Small pieces that heads are written from.
#pragma once
#include <cstring>
#include <string_view>

#include "base/byte_sink.h"
#include "http/message_head.h"

namespace weir {

inline void put_header(ByteSink& out, std::string_view name, std::string_view value) {
  char* to = out.room(name.size() + value.size() + 4);
  memcpy(to, name.data(), name.size());
  to += name.size();
  *to++ = ':';
  *to++ = ' ';
  memcpy(to, value.data(), value.size());
  to += value.size();
  *to++ = '\r';
  *to++ = '\n';
  out.wrote(name.size() + value.size() + 4);
}

template <typename F>
void each_value(const MessageHead& head, HeaderId id, F&& f) {
  for (unsigned i = 0; i < head.header_count; ++i)
    if (head.headers[i].id == id) f(head.value(head.headers[i]));
}

inline std::string_view first_value(const MessageHead& head, HeaderId id) {
  for (unsigned i = 0; i < head.header_count; ++i)
    if (head.headers[i].id == id) return head.value(head.headers[i]);
  return {};
}

}  // namespace weir
