#include "observe/line_out.h"
#include "observe/log_line.h"

namespace weir {

namespace {

void put_quoted(LineOut& out, std::string_view text) {
  out.put(" \"");
  if (text.empty()) out.put('-');
  else out.text(escape_combined, text, kMostTextOut);
  out.put('"');
}

void put_request(LineOut& out, const RecordView& record, const SecretNames& secrets) {
  const std::string_view method = record.text(RecordText::method);
  if (method.empty()) {
    out.put("\"-\"");
    return;
  }
  out.put('"');
  out.text(escape_combined, method, kMostTextOut);
  out.put(' ');
  put_url(out, escape_combined, record.text(RecordText::target), secrets, kMostTargetOut);
  out.put(record.has(abi::record_flag::http10) ? " HTTP/1.0\"" : " HTTP/1.1\"");
}

void put_referer(LineOut& out, std::string_view referer, const SecretNames& secrets) {
  if (referer.empty()) return out.put(" \"-\"");
  out.put(" \"");
  put_url(out, escape_combined, referer, secrets, kMostTextOut);
  out.put('"');
}

// The format's word for none is a dash.
void put_number(LineOut& out, uint64_t n) {
  if (n == 0) out.put('-');
  else out.number(n);
}

}  // namespace

char* write_combined_line(const RecordView& record, const LineContext& context, char* into) {
  const RecordHead& head = record.head;
  const SecretNames& secrets = context.format.secrets;
  LineOut out{into};
  if (is_no_ip(head.client)) out.put('-');
  else out.ip(head.client);
  out.put(" - - [");
  out.at = context.time.apache(head.ended_at_us, out.at);
  out.put("] ");
  put_request(out, record, secrets);
  out.put(' ');
  put_number(out, head.status);
  out.put(' ');
  put_number(out, head.bytes_out);
  put_referer(out, record.text(RecordText::referer), secrets);
  put_quoted(out, record.text(RecordText::user_agent));
  out.put('\n');
  return out.at;
}

}  // namespace weir
