#include "observe/log_time.h"

#include <time.h>

#include <algorithm>
#include <cstdio>

namespace weir {

namespace {

constexpr uint64_t kLatestUs = 253402300799999999u;  // 9999-12-31T23:59:59.999999Z
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

void LogTime::tell(uint64_t second) {
  if (second == second_) return;
  second_ = second;
  const time_t at = time_t(second);
  struct tm t = {};
  ::gmtime_r(&at, &t);
  // Bounds that the compiler can see; they hold anyway.
  const unsigned year = unsigned(t.tm_year + 1900) % 10000, month = unsigned(t.tm_mon) % 12, day = unsigned(t.tm_mday) % 32;
  const unsigned hour = unsigned(t.tm_hour) % 24, minute = unsigned(t.tm_min) % 60, sec = unsigned(t.tm_sec) % 60;
  char text[32];
  std::snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.", year, month + 1, day, hour, minute, sec);
  std::memcpy(iso_, text, 20);
  std::snprintf(text, sizeof text, "%02u/%s/%04u:%02u:%02u:%02u +0000", day, kMonths[month], year, hour, minute, sec);
  std::memcpy(apache_, text, kApacheBytes);
}

char* LogTime::iso(uint64_t us, char* out) {
  us = std::min(us, kLatestUs);
  tell(us / 1'000'000);
  const unsigned ms = unsigned(us / 1000 % 1000);
  std::memcpy(out, iso_, 20);
  out[20] = char('0' + ms / 100);
  out[21] = char('0' + ms / 10 % 10);
  out[22] = char('0' + ms % 10);
  out[23] = 'Z';
  return out + kIsoBytes;
}

char* LogTime::apache(uint64_t us, char* out) {
  tell(std::min(us, kLatestUs) / 1'000'000);
  std::memcpy(out, apache_, kApacheBytes);
  return out + kApacheBytes;
}

}  // namespace weir
