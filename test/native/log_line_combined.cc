// Records in Apache's combined format.
#include "record_lines.h"

using namespace weir;
using check::Lines;
using check::RecordParts;
using check::usual_record;

TEST("a usual exchange is a line of the combined format") {
  Lines lines(LogFormat::Kind::combined);
  RecordParts r = usual_record();
  CHECK_EQ(lines.of(r), "192.0.2.7 - - [06/May/2024:07:08:09 +0000] \"GET /v1/users/4711?fields=name,mail HTTP/1.1\" 200 4321 \"-\" "
                        "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"");
  r.text(RecordText::referer) = "https://example.com/a?b=c";
  r.text(RecordText::user_agent) = "";
  r.head.flags |= abi::record_flag::http10;
  CHECK_EQ(lines.of(r), "192.0.2.7 - - [06/May/2024:07:08:09 +0000] \"GET /v1/users/4711?fields=name,mail HTTP/1.0\" 200 4321 "
                        "\"https://example.com/a?b=c\" \"-\"");
}

TEST("what is not there is a dash") {
  Lines lines(LogFormat::Kind::combined);
  RecordParts r;
  r.head.kind = abi::record_kind::tunnel;
  CHECK_EQ(lines.of(r), "- - - [01/Jan/1970:00:00:00 +0000] \"-\" - - \"-\" \"-\"");
}

TEST("quotes, backslashes and everything that is not printable ASCII is escaped as Apache does") {
  Lines lines(LogFormat::Kind::combined);
  RecordParts r = usual_record();
  r.text(RecordText::method) = "G\"T";
  r.text(RecordText::target) = "/a\\b\n\x1b[2J?x=\xc3\xa9\x7f";
  r.text(RecordText::referer) = "\r\t\v\b\f";
  r.text(RecordText::user_agent) = std::string("\0\" - -", 6);
  const std::string line = lines.of(r);
  CHECK_EQ(line.substr(line.find(']') + 2), R"("G\"T /a\\b\n\x1b[2J?x=\xc3\xa9\x7f HTTP/1.1" 200 4321 "\r\t\v\b\x0c" "\x00\" - -")");
}

TEST("the longest texts of the worst bytes still make one line of printable ASCII") {
  Lines lines(LogFormat::Kind::combined);
  lines.format.secrets = {"a"};
  RecordParts r = usual_record();
  for (std::string& text : r.texts) text = std::string(kMostTextBytes, '\xff');
  std::string target = "/?";
  while (target.size() + 4 < kMostTargetBytes) target += "\x01&a=";
  r.text(RecordText::target) = target;
  const std::string line = lines.of(r);
  CHECK(line.size() > 20'000);
  for (const char c : line) CHECK(c >= 0x20 && c < 0x7f);
}
