// A strict reader of JSON for tests (RFC 8259): says whether a text is one value, and gives the strings of an object back. It knows
// nothing of how the lines are written.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace weir::check {

class JsonText {
 public:
  explicit JsonText(std::string_view text) : p_(text.data()), end_(p_ + text.size()) {}

  // Members of the outermost object, strings decoded to UTF-8, everything else as it is written.
  std::map<std::string, std::string> members;

  [[nodiscard]] bool is_object() { return end_ > p_ && *p_ == '{' && value(0) && p_ == end_; }

 private:
  bool take(char c) { return p_ < end_ && *p_ == c && ++p_; }
  bool take(std::string_view word) {
    if (std::string_view(p_, size_t(end_ - p_)).substr(0, word.size()) != word) return false;
    p_ += word.size();
    return true;
  }

  bool value(int depth) {
    if (p_ == end_ || depth > 4) return false;
    std::string ignored;
    switch (*p_) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string(ignored);
      case 't': return take("true");
      case 'f': return take("false");
      case 'n': return take("null");
      default: return number();
    }
  }

  bool object(int depth) {
    ++p_;
    if (take('}')) return true;
    do {
      std::string name;
      if (!string(name) || !take(':')) return false;
      const char* const begin = p_;
      std::string text;
      if (p_ < end_ && *p_ == '"' ? !string(text) : !value(depth + 1)) return false;
      if (depth == 0 && !members.emplace(name, *begin == '"' ? text : std::string(begin, p_)).second) return false;  // twice the same
    } while (take(','));
    return take('}');
  }

  bool array(int depth) {
    ++p_;
    if (take(']')) return true;
    do
      if (!value(depth + 1)) return false;
    while (take(','));
    return take(']');
  }

  bool number() {
    const char* const begin = p_;
    while (p_ < end_ && *p_ >= '0' && *p_ <= '9') ++p_;
    return p_ > begin && (p_ - begin == 1 || *begin != '0');
  }

  bool string(std::string& into) {
    if (!take('"')) return false;
    while (p_ < end_ && *p_ != '"') {
      const auto byte = static_cast<unsigned char>(*p_);
      if (byte < 0x20) return false;
      if (byte == '\\' ? !escape(into) : !character(into)) return false;
    }
    return take('"');
  }

  bool escape(std::string& into) {
    ++p_;
    if (p_ == end_) return false;
    const char c = *p_++;
    if (c == '"' || c == '\\' || c == '/') return into += c, true;
    if (c != 'u' || end_ - p_ < 4) return false;  // \n and its like are not written
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++p_) {
      const char d = *p_;
      if (!((d >= '0' && d <= '9') || (d >= 'a' && d <= 'f'))) return false;
      code = code * 16 + unsigned(d <= '9' ? d - '0' : d - 'a' + 10);
    }
    if (code >= 0xd800 && code < 0xe000) return false;
    encode(code, into);
    return true;
  }

  static void encode(unsigned code, std::string& into) {
    if (code < 0x80) {
      into += char(code);
    } else if (code < 0x800) {
      into += {char(0xc0 | code >> 6), char(0x80 | (code & 0x3f))};
    } else {
      into += {char(0xe0 | code >> 12), char(0x80 | (code >> 6 & 0x3f)), char(0x80 | (code & 0x3f))};
    }
  }

  // By the ranges of RFC 3629, section 4; controls may not stand as they are.
  bool character(std::string& into) {
    const auto at = [this](int i) { return p_ + i < end_ ? unsigned(static_cast<unsigned char>(p_[i])) : 0u; };
    const auto in = [&at](int i, unsigned low, unsigned high) { return at(i) >= low && at(i) <= high; };
    int bytes = 0;
    if (at(0) < 0x7f) bytes = 1;
    else if ((at(0) == 0xc2 && in(1, 0xa0, 0xbf)) || (in(0, 0xc3, 0xdf) && in(1, 0x80, 0xbf))) bytes = 2;
    else if (at(0) == 0xe0 && in(1, 0xa0, 0xbf) && in(2, 0x80, 0xbf)) bytes = 3;
    else if (at(0) == 0xed && in(1, 0x80, 0x9f) && in(2, 0x80, 0xbf)) bytes = 3;
    else if (in(0, 0xe1, 0xef) && at(0) != 0xed && in(1, 0x80, 0xbf) && in(2, 0x80, 0xbf)) bytes = 3;
    else if (at(0) == 0xf0 && in(1, 0x90, 0xbf) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf)) bytes = 4;
    else if (in(0, 0xf1, 0xf3) && in(1, 0x80, 0xbf) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf)) bytes = 4;
    else if (at(0) == 0xf4 && in(1, 0x80, 0x8f) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf)) bytes = 4;
    into.append(p_, size_t(bytes));
    p_ += bytes;
    return bytes > 0;
  }

  const char* p_;
  const char* end_;
};

}  // namespace weir::check
