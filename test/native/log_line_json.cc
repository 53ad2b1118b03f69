// Records as JSON lines: every field by itself, what is left out, and bytes that no client should send.
#include "observe/record_words.h"
#include "record_lines.h"

using namespace weir;
using check::Lines;
using check::RecordParts;
using check::usual_record;

namespace {

RecordParts with(RecordText which, std::string text) {
  RecordParts r = usual_record();
  r.text(which) = std::move(text);
  return r;
}

RecordParts bare_record() {
  RecordParts r;
  r.head.kind = abi::record_kind::exchange;
  return r;
}

}  // namespace

TEST("a usual exchange is one JSON line with its fields in the order of the list") {
  Lines lines;
  CHECK_EQ(lines.of(usual_record()),
           R"({"time":"2024-05-06T07:08:09.012Z","kind":"exchange","worker":1,"requestId":"0123456789abcdef0123456789abcdef",)"
           R"("client":"192.0.2.7","peer":"192.0.2.7:54321","listener":"web","method":"GET","host":"api.example.com",)"
           R"("path":"/v1/users/4711","query":"fields=name,mail","protocol":"HTTP/1.1","status":200,"termination":"ok",)"
           R"("route":"api.example.com/v1/","upstream":"api","server":"a","attempts":1,"isReused":true,"bytesIn":120,"bytesOut":4321,)"
           R"("firstByteUs":850,"totalUs":1234,"overheadUs":17,"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"})");
}

TEST("a record of which little is known says only that") {
  Lines lines;
  CHECK_EQ(lines.of(bare_record()),
           R"({"time":"1970-01-01T00:00:00.000Z","kind":"exchange","worker":1,"client":"::","peer":"[::]:0","listener":"web","status":0,)"
           R"("termination":"ok","bytesIn":0,"bytesOut":0,"totalUs":0,"overheadUs":0})");
}

TEST("only the fields that were asked for are written, alone or together") {
  Lines lines;
  lines.format.fields = 0;
  CHECK_EQ(lines.of(usual_record()), "{}");
  lines.format.fields = 1u << abi::record_field::status;
  CHECK_EQ(lines.of(usual_record()), R"({"status":200})");
  lines.format.fields |= 1u << abi::record_field::query | 1u << abi::record_field::total_us;
  CHECK_EQ(lines.of(usual_record()), R"({"query":"fields=name,mail","status":200,"totalUs":1234})");
  RecordParts all = usual_record();
  all.head.flags |= abi::record_flag::hedged;
  all.head.queue_us = all.head.connect_us = 1;
  all.notes.push_back({5, 3, 0, 0});
  for (std::string& text : all.texts)
    if (text.empty()) text = "x";
  lines.format.headers.emplace_back("x-a", false);
  all.captures.emplace_back(capture_key("X-A"), "1");
  for (int field = 0; field < abi::record_field::count; ++field) {
    lines.format.fields = 1u << field;
    const std::string line = lines.of(all);
    check::JsonText json(line);
    CHECK(json.is_object());
    CHECK_EQ(json.members.size(), 1u);
  }
}

TEST("attempts that failed are listed with server, reason and error") {
  Lines lines;
  RecordParts r = usual_record();
  r.notes = {{1200, 4, abi::failure::connect, 111}, {2400, kNobody, abi::failure::first_byte_timeout, 0}, {3, 9, 15, 4000}, {4, 4, abi::failure::status, 503}};
  CHECK_EQ(lines.member(r, "failedAttempts"), R"([{"server":"api/b/2","reason":"connect","error":"ECONNREFUSED","atUs":1200},)"
                                              R"({"reason":"first_byte_timeout","atUs":2400},{"reason":"unknown","atUs":3},)"
                                              R"({"server":"api/b/2","reason":"status","status":503,"atUs":4}])");
  r.head.server = 4;
  CHECK_EQ(lines.member(r, "upstream"), "api");
  CHECK_EQ(lines.member(r, "server"), "b/2");
}

TEST("tunnels say what they carried, and who asked may be another than who connected") {
  Lines lines;
  RecordParts r = bare_record();
  r.head.kind = abi::record_kind::tunnel;
  CHECK_EQ(lines.member(r, "protocol"), "tcp");
  CHECK_EQ(lines.member(r, "overheadUs"), "none");
  r.head.flags = abi::record_flag::tls;
  CHECK_EQ(lines.member(r, "protocol"), "tls");
  r.head.flags = abi::record_flag::upgraded;
  CHECK_EQ(lines.member(r, "protocol"), "none");
  r.head.flags = abi::record_flag::unix_peer;
  CHECK_EQ(lines.member(r, "client"), "unix:");
  CHECK_EQ(lines.member(r, "peer"), "unix:");
  r.head.client[0] = 0x20;
  r.head.client[1] = 0x01;
  r.head.client[15] = 1;
  CHECK_EQ(lines.member(r, "client"), "2001::1");
  r.text(RecordText::method) = "CONNECT";
  r.head.flags = abi::record_flag::http10;
  CHECK_EQ(lines.member(r, "protocol"), "HTTP/1.0");
}

TEST("every termination has its word") {
  Lines lines;
  RecordParts r = usual_record();
  const std::pair<int, const char*> some[] = {
      {abi::termination::ok, "ok"},
      {abi::termination::client_abort, "client_abort"},
      {abi::termination::upstream_bad_response, "upstream_bad_response"},
      {abi::termination::function_failed, "function_failed"},
  };
  for (const auto& [number, word] : some) {
    r.head.termination = uint8_t(number);
    CHECK_EQ(lines.member(r, "termination"), word);
  }
  for (int n = 0; n < abi::termination::count; ++n) CHECK(termination_word(uint8_t(n)) != "unknown");
  r.head.termination = abi::termination::count;
  CHECK_EQ(lines.member(r, "termination"), "unknown");
}

TEST("header fields are written by their names, secret ones without their values") {
  Lines lines;
  RecordParts r = usual_record();
  CHECK_EQ(lines.member(r, "headers"), "none");
  lines.format.headers.emplace_back("x-tenant", false);
  lines.format.headers.emplace_back("authorization", true);
  const uint16_t tenant = capture_key("x-tenant"), authorization = capture_key("Authorization"), other = capture_key("x-other");
  r.captures = {{authorization, "Bearer abc"}, {tenant, "caf\xe9 \"x\""}, {tenant, "again"}, {authorization, "Basic def"}, {other, "nobody asked"}};
  CHECK_EQ(lines.member(r, "headers"), "{\"x-tenant\":\"caf\xef\xbf\xbd \\\"x\\\", again\",\"authorization\":\"redacted\"}");
  r.captures = {{other, "nobody asked"}};
  CHECK_EQ(lines.member(r, "headers"), "none");
}

TEST("any byte in any text gives JSON that reads back as the text, or U+FFFD where it was no UTF-8") {
  Lines lines;
  const std::pair<RecordText, const char*> texts[] = {
      {RecordText::method, "method"},         {RecordText::host, "host"},           {RecordText::target, "path"},
      {RecordText::request_id, "requestId"},  {RecordText::referer, "referer"},     {RecordText::user_agent, "userAgent"},
      {RecordText::traceparent, "traceparent"},
  };
  for (const auto& [which, name] : texts) {
    for (int byte = 0; byte < 256; ++byte) {
      if (byte == '?' || byte == '#') continue;
      const std::string around = "0123456789abc", text = around + char(byte) + around;
      CHECK_EQ(lines.member(with(which, text), name), byte < 0x80 ? text : around + "\xef\xbf\xbd" + around);
    }
  }
}

TEST("text that may trick a terminal or a reader of lines is escaped, other text stays as it is") {
  Lines lines;
  const auto escaped = [&](const char* text) {
    const std::string line = lines.of(with(RecordText::host, text));
    const size_t from = line.find("\"host\":\"") + 8;
    return line.substr(from, line.find("\",\"path\"") - from);
  };
  CHECK_EQ(escaped("\x1b[2J\x7f\r\n\t"), R"(\u001b[2J\u007f\u000d\u000a\u0009)");
  CHECK_EQ(escaped("\xc2\x9b" "2J\xc2\x80\xc2\x9f\xc2\xa0"), "\\u009b2J\\u0080\\u009f\xc2\xa0");
  CHECK_EQ(escaped("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6"), R"(\u2028\u202e\u2066)");
  CHECK_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe6\xb0\xb4 \xf0\x9f\x8c\x8a"), "gr\xc3\xbc\xc3\x9f \xe6\xb0\xb4 \xf0\x9f\x8c\x8a");
  CHECK_EQ(escaped(R"(a"b\c/)"), R"(a\"b\\c/)");
}

TEST("what is no UTF-8 becomes one U+FFFD for each longest beginning of a character") {
  Lines lines;
  const std::string r = "\xef\xbf\xbd";
  const auto host = [&](const char* text) { return lines.member(with(RecordText::host, text), "host"); };
  CHECK_EQ(host("a\xc3"), "a" + r);                               // cut at the end
  CHECK_EQ(host("\xe6\xb0z"), r + "z");                           // interrupted
  CHECK_EQ(host("\xf0\x9f\x8c\xf0\x9f\x8c\x8a"), r + "\xf0\x9f\x8c\x8a");
  CHECK_EQ(host("\xc0\xaf"), r + r);                              // overlong
  CHECK_EQ(host("\xe0\x80\xaf"), r + r + r);
  CHECK_EQ(host("\xed\xa0\x80"), r + r + r);                      // half of a surrogate pair
  CHECK_EQ(host("\xf4\x90\x80\x80"), r + r + r + r);              // beyond U+10FFFF
  CHECK_EQ(host("\xff\xfe"), r + r);
}

TEST("the longest texts of the worst bytes still make one whole line") {
  Lines lines;
  for (unsigned i = 0; i < kMostCaptures; ++i) lines.format.headers.emplace_back(std::string(300, '\x01'), false);
  const std::string part(2000, '\x02');
  for (const unsigned row : {3u, 4u}) lines.names.set(RowNames::Kind::server, row, part + "/" + part);
  lines.names.set(RowNames::Kind::listener, 0, std::string(4000, '"'));
  lines.names.set(RowNames::Kind::route, 64, std::string(4000, '\x9b'));
  for (const char bad : {'\x01', '\xff', '"', '='}) {
    RecordParts r = usual_record();
    r.head.ended_at_us = r.head.bytes_in = r.head.bytes_out = UINT64_MAX;
    for (std::string& text : r.texts) text = std::string(kMostTextBytes, bad);
    r.text(RecordText::target) = "/" + std::string(kMostTargetBytes / 2, bad) + "?" + std::string(kMostTargetBytes / 2, bad);
    for (unsigned i = 0; i < kMostCaptures; ++i) r.captures.emplace_back(capture_key("x-" + std::to_string(i)), std::string(kMostTextBytes, bad));
    for (unsigned i = 0; i < kMostNotes; ++i) r.notes.push_back({UINT32_MAX, 4, 5, 111});
    const std::string line = lines.of(r);
    check::JsonText json(line);
    CHECK(json.is_object());
    CHECK_EQ(json.members["time"], "9999-12-31T23:59:59.999Z");
    CHECK(json.members["path"].size() > 4000);
  }
}

TEST("a record whose lengths are wrong is none") {
  RecordParts parts = usual_record();
  parts.notes.push_back({});
  parts.captures.emplace_back(0, "value");
  const std::string good = parts.bytes();
  RecordView record;
  CHECK(record.parse(good.data(), good.size()));
  for (size_t size = 0; size + 8 <= good.size(); ++size) CHECK(!record.parse(good.data(), size));
  const auto broken = [&](size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    return !record.parse(bad.data(), bad.size());
  };
  CHECK(broken(offsetof(RecordHead, kind), 0));
  CHECK(broken(offsetof(RecordHead, kind), 3));
  CHECK(broken(offsetof(RecordHead, notes), 9));
  CHECK(broken(offsetof(RecordHead, captures), 9));
  for (unsigned i = 0; i < kRecordTexts; ++i) CHECK(broken(offsetof(RecordHead, lengths) + 2 * i + 1, '\x7f'));
}
