// One record as one line of a log.
#pragma once
#include <cstddef>

#include "observe/log_format.h"
#include "observe/log_time.h"
#include "observe/record_view.h"
#include "observe/row_names.h"

namespace weir {

// No line is longer, its end included: texts that would make it so are cut.
constexpr unsigned kMostLineBytes = 65536;

struct LineContext {
  const LogFormat& format;
  const RowNames& names;
  LogTime& time;
  unsigned worker;  // number of it, from 1
};

// Each writes a line with its end into `into`, of kMostLineBytes, and answers where it ends.
// A JSON object with the fields that the format has, without those that have nothing to say.
[[nodiscard]] char* write_json_line(const RecordView& record, const LineContext& context, char* into);
// Apache's combined format: client, time, request, status, bytes, referer, user agent.
[[nodiscard]] char* write_combined_line(const RecordView& record, const LineContext& context, char* into);
[[nodiscard]] char* write_line(const RecordView& record, const LineContext& context, char* into);

}  // namespace weir
