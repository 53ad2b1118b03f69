// What somebody who reads records wants of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "observe/query_redaction.h"
#include "observe/record_view.h"

namespace weir {

struct LogFormat {
  enum class Kind { json, combined };
  // A header field whose value is kept in records.
  struct Header {
    Header(std::string_view plain, bool secret);
    std::string name;  // content of a JSON string; cut, as a line has an end
    bool is_secret;
    uint16_t key;
  };

  Kind kind = Kind::json;
  uint32_t fields = 0;  // a bit for each number of abi::record_field; JSON only
  SecretNames secrets;
  std::vector<Header> headers;
  double share = 1;  // of the records that ended well
  uint32_t slow_us = 0;  // those that took so long in total are written whatever their share; 0: no such exception
  bool only_traced = false;  // none without a traceparent

  [[nodiscard]] bool has(int field) const { return fields >> field & 1; }
  // Whether it may be, as far as its head tells. Saves the copy of what is certainly not.
  [[nodiscard]] bool may_want(const RecordHead& head) const;
  // Whether a record is one of those to write. The same for every reader, and for all records of one request id.
  [[nodiscard]] bool wants(const RecordView& record) const;
};
static_assert(abi::record_field::count <= 32);
constexpr unsigned kMostHeaderNameBytes = 256;

}  // namespace weir
