#include "observe/query_redaction.h"

#include <algorithm>

namespace weir {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = char(c | 0x20);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// The byte that begins at `i`, which moves behind it. A percent sign without two digits stands for itself.
char decoded(std::string_view name, size_t& i) {
  const char c = name[i++];
  if (c == '+') return ' ';
  if (c != '%' || name.size() - i < 2) return c;
  const int high = hex_digit(name[i]), low = hex_digit(name[i + 1]);
  if (high < 0 || low < 0) return c;
  i += 2;
  return char(high << 4 | low);
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; }

bool means(std::string_view name, std::string_view secret) {
  size_t i = 0, matched = 0;
  while (i < name.size()) {
    const char c = lower_ascii(decoded(name, i));
    if (matched == secret.size()) return c == '[';
    if (c != secret[matched++]) return false;
  }
  return matched == secret.size();
}

}  // namespace

bool is_secret_parameter(std::string_view name, const SecretNames& secrets) {
  return std::any_of(secrets.begin(), secrets.end(), [name](const std::string& secret) { return means(name, secret); });
}

}  // namespace weir
