// Secrets in queries, however they are spelled, and which records a share of them leaves out.
#include <cmath>

#include "record_lines.h"

using namespace weir;
using check::Lines;
using check::RecordParts;
using check::usual_record;

namespace {

std::string redacted(const std::string& query) {
  std::string out;
  each_redacted_piece(query, {"token", "api_key", "pass word"}, [&](std::string_view piece) { out += piece; });
  return out;
}

bool is_wanted(const LogFormat& format, RecordParts parts) {
  const std::string bytes = parts.bytes();
  RecordView record;
  return record.parse(bytes.data(), bytes.size()) && format.wants(record);
}

}  // namespace

TEST("values of secret parameters are replaced, others are not") {
  CHECK_EQ(redacted("a=1&token=abc&b=2"), "a=1&token=redacted&b=2");
  CHECK_EQ(redacted("token=abc"), "token=redacted");
  CHECK_EQ(redacted("token=&x"), "token=redacted&x");
  CHECK_EQ(redacted("x&api_key=1&y&token=2&&"), "x&api_key=redacted&y&token=redacted&&");
  CHECK_EQ(redacted("mytoken=1&tokens=2&toke=3&token"), "mytoken=1&tokens=2&toke=3&token");
  CHECK_EQ(redacted(""), "");
  CHECK_EQ(redacted("=token=x&="), "=token=x&=");
}

TEST("a secret parameter is known in capitals, percent-encoded, with an index, and behind any separator") {
  CHECK_EQ(redacted("TOKEN=1&%74oKe%6E=2&%54oken=3"), "TOKEN=redacted&%74oKe%6E=redacted&%54oken=redacted");
  CHECK_EQ(redacted("pass+word=1&pass%20word=2"), "pass+word=redacted&pass%20word=redacted");
  CHECK_EQ(redacted("token[]=1&token[a]=2&token%5b0%5d=3"), "token[]=redacted&token[a]=redacted&token%5b0%5d=redacted");
  CHECK_EQ(redacted("a=1;token=2;b=3&c=4"), "a=1;token=redacted&c=4");
  CHECK_EQ(redacted("to=http://x/?token=1&y=2#token=3"), "to=http://x/?token=redacted&y=2#token=redacted");
  CHECK_EQ(redacted("token=a=b;c?d#e"), "token=redacted");
  CHECK_EQ(redacted("%token=1&tok%zzen=2&token%=3&token%7=4"), "%token=1&tok%zzen=2&token%=3&token%7=4");
}

TEST("queries are redacted in JSON, in the combined format, and in the referer of both") {
  RecordParts r = usual_record();
  r.text(RecordText::target) = "/login?user=me&Token=secret-1";
  r.text(RecordText::referer) = "https://example.com/token=kept?token=secret-2&a=b";
  for (const LogFormat::Kind kind : {LogFormat::Kind::json, LogFormat::Kind::combined}) {
    Lines lines(kind);
    lines.format.secrets = {"token"};
    const std::string line = lines.of(r);
    CHECK_EQ(line.find("secret-"), std::string::npos);
    CHECK(line.find("user=me&Token=redacted\"") != std::string::npos || line.find("user=me&Token=redacted HTTP") != std::string::npos);
    CHECK(line.find("\"https://example.com/token=kept?token=redacted&a=b\"") != std::string::npos);
  }
}

TEST("a share of the records is written, the same ones each time, and all of one request id or none") {
  LogFormat format;
  for (const double share : {0.0, 0.01, 0.25, 0.9, 1.0}) {
    format.share = share;
    int by_id = 0, by_moment = 0;
    constexpr int all = 20'000;
    for (int i = 0; i < all; ++i) {
      RecordParts r = usual_record();
      r.text(RecordText::request_id) = "request-" + std::to_string(i);
      const bool wanted = is_wanted(format, r);
      by_id += wanted;
      r.head.ended_at_us += 12345;
      CHECK_EQ(is_wanted(format, r), wanted);
      r.text(RecordText::request_id) = "";
      r.head.ended_at_us += uint64_t(i) * 37;
      by_moment += is_wanted(format, r);
    }
    const double spread = 5 * std::sqrt(all * share * (1 - share));
    CHECK(std::abs(by_id - all * share) <= spread);
    CHECK(std::abs(by_moment - all * share) <= spread);
  }
}

TEST("what went wrong or took a second attempt is written whatever the share") {
  LogFormat format;
  format.share = 0;
  RecordParts r = usual_record();
  CHECK(!is_wanted(format, r));
  r.head.status = 499;
  CHECK(!is_wanted(format, r));
  r.head.status = 500;
  CHECK(is_wanted(format, r));
  r = usual_record();
  r.head.attempts = 2;
  CHECK(is_wanted(format, r));
  r = usual_record();
  r.head.termination = abi::termination::client_abort;
  CHECK(is_wanted(format, r));
  r = usual_record();
  format.slow_us = r.head.total_us + 1;
  CHECK(!is_wanted(format, r));
  format.slow_us = r.head.total_us;
  CHECK(is_wanted(format, r));
}

TEST("who wants only what is traced gets nothing else, however it ended") {
  LogFormat format;
  format.only_traced = true;
  RecordParts r = usual_record();
  r.head.termination = abi::termination::client_abort;
  CHECK(!is_wanted(format, r));
  r.text(RecordText::traceparent) = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  CHECK(is_wanted(format, r));
}
