// Finds the end of one response at a time. Knows Content-Length only: the origins never send anything else, and a proxy
// that turns it into something else is reported as an error.
#pragma once

#include <strings.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::bench {

class ResponseReader {
 public:
  enum class Result { more, complete, invalid };

  // Takes the next bytes of the connection. One request is in flight at a time, so bytes after its response are invalid.
  Result feed(std::string_view bytes) {
    if (in_body_) return take_body(bytes.size());
    if (head_.empty()) return take_head(bytes, 0);
    const size_t before = head_.size();
    head_.append(bytes);
    return take_head(head_, before < 3 ? 0 : before - 3);
  }

 private:
  Result take_head(std::string_view text, size_t from) {
    const size_t end = text.find("\r\n\r\n", from);
    if (end == std::string_view::npos) {
      if (text.data() != head_.data()) head_.assign(text);
      return Result::more;
    }
    const size_t body_bytes = text.size() - end - 4;
    const int64_t length = text.starts_with("HTTP/1.1 200") ? content_length(text.substr(0, end + 2)) : -1;
    head_.clear();
    if (length < 0) return Result::invalid;
    in_body_ = true;
    remaining_ = static_cast<size_t>(length);
    return take_body(body_bytes);
  }

  Result take_body(size_t bytes) {
    if (bytes > remaining_) return Result::invalid;
    remaining_ -= bytes;
    if (remaining_ > 0) return Result::more;
    in_body_ = false;
    return Result::complete;
  }

  static int64_t content_length(std::string_view head) {
    constexpr std::string_view name = "\ncontent-length:";
    for (size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
      if (head.size() - at > name.size() && strncasecmp(head.data() + at, name.data(), name.size()) == 0) {
        return std::strtoll(head.data() + at + name.size(), nullptr, 10);
      }
    }
    return -1;
  }

  std::string head_;
  size_t remaining_ = 0;
  bool in_body_ = false;
};

}  // namespace weir::bench
