// Moments as log lines write them. The text of the latest second is kept, as neighbours in a log mostly share it.
#pragma once
#include <cstdint>
#include <cstring>

namespace weir {

class LogTime {
 public:
  static constexpr unsigned kIsoBytes = 24;     // 2024-05-06T07:08:09.012Z
  static constexpr unsigned kApacheBytes = 26;  // 06/May/2024:07:08:09 +0000

  // Each writes so many bytes and answers where they end. Microseconds since 1970; what is later than the year 9999 is its end.
  char* iso(uint64_t us, char* out);
  char* apache(uint64_t us, char* out);

 private:
  void tell(uint64_t second);

  uint64_t second_ = UINT64_MAX;
  char iso_[20];  // up to the point
  char apache_[kApacheBytes];
};

}  // namespace weir
