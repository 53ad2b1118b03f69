// What happens to the heads of one route towards one upstream, compiled once from the config: the header program.
// Owns     its strings. `uses` counts the exchanges that run it; a dropped plan is freed when the last of them ends.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/abi.h"
#include "http/message_head.h"
#include "loop/proxy_header.h"

namespace weir {

struct TemplatePart {
  int kind = abi::placeholder::literal;
  std::string text;  // of a literal
};

struct HeaderEdit {
  std::string name;
  std::string lower;
  HeaderId id = HeaderId::other;
  bool replaces = true;  // set: drops what was there. add: does not.
  std::vector<TemplatePart> value;
  bool removes_only = false;
};

class HeaderEdits {
 public:
  void add(HeaderEdit e);
  [[nodiscard]] bool empty() const { return edits_.empty(); }
  // Does an edit take the place of this header (or remove it)? `name` in any case.
  [[nodiscard]] bool drops(HeaderId id, std::string_view name) const;
  [[nodiscard]] const std::vector<HeaderEdit>& list() const { return edits_; }

 private:
  std::vector<HeaderEdit> edits_;
  uint32_t dropped_ids_ = 0;     // bit per HeaderId
  uint64_t dropped_others_ = 0;  // bit per (length, first letter) hash: a quick no
};

struct Plan {
  enum class Host : uint8_t { preserve, server, literal };

  Host host = Host::preserve;
  std::string host_literal;
  std::string strip;  // prefix of the path that is cut off, where it is there; without a slash at its end
  std::string add;    // what is put in front of the rest; without a slash at its end
  HeaderEdits request;
  HeaderEdits response;
  std::string upstream;
  uint32_t connect_ms = 2000;
  uint32_t first_byte_ms = 30'000;
  uint32_t idle_ms = 60'000;
  uint32_t tunnel_ms = 3'600'000;
  uint32_t replay_bytes = 65536;
  uint32_t response_head_bytes = 32768;
  uint32_t hedge_ms = 0;  // when a second server is asked, too; 0 is never
  uint32_t total_ms = 0;  // from the head to the end of the response; 0 is no limit
  std::vector<std::pair<int, int>> retry_statuses;  // responses that TypeScript is asked about before they are passed on
  bool tell_finished = false;
  ProxyVersion send_proxy = ProxyVersion::off;

  [[nodiscard]] bool retries(int status) const {
    for (const auto& [from, to] : retry_statuses)
      if (status >= from && status <= to) return true;
    return false;
  }

  uint32_t id = 0;
  uint32_t uses = 0;
  bool dropped = false;
};

}  // namespace weir
