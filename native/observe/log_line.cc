#include "observe/log_line.h"

namespace weir {

char* write_line(const RecordView& record, const LineContext& context, char* into) {
  return context.format.kind == LogFormat::Kind::json ? write_json_line(record, context, into) : write_combined_line(record, context, into);
}

}  // namespace weir
