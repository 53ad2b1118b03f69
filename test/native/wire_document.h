// Reads the wire documents (test/wire/README.md) for the tests of the parser alone.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weir {

struct WireCase {
  std::string where;  // file and title
  std::string bytes;
  std::string expect;
  std::string request_method = "GET";
  std::vector<std::string> server_sees;
  bool decided_by_parser = true;
};

inline std::string unescape_bytes(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char kind = text[++i];
    if (kind == 'x') {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else if (kind == '{') {
      const size_t star = text.find('*', i), close = text.find('}', i);
      const std::string repeated = unescape_bytes(text.substr(star + 1, close - star - 1));
      for (long n = std::atol(text.c_str() + i + 1); n > 0; --n) out += repeated;
      i = close;
    } else {
      out += kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind == 't' ? '\t' : kind == '0' ? '\0' : kind;
    }
  }
  return out;
}

inline bool takes(const std::string& line, const char* prefix, std::string& rest) {
  const std::string wanted(prefix);
  if (line.compare(0, wanted.size(), wanted) != 0) return false;
  rest = line.substr(wanted.size());
  return true;
}

inline void read_wire_file(const std::filesystem::path& path, std::vector<WireCase>& cases) {
  std::ifstream file(path);
  std::string line, rest, block;
  bool in_block = false;
  while (std::getline(file, line)) {
    if (in_block) {
      in_block = line != "```";
      if (in_block) block += line;
      else cases.back().bytes = unescape_bytes(block);
    } else if (takes(line, "## ", rest)) {
      cases.emplace_back().where = path.filename().string() + ": " + rest;
    } else if (line == "```http") {
      in_block = true;
      block.clear();
    } else if (takes(line, "- expect: ", rest)) {
      cases.back().expect = rest;
    } else if (takes(line, "- request: ", rest)) {
      cases.back().request_method = rest;
    } else if (takes(line, "- server sees: ", rest)) {
      cases.back().server_sees.push_back(unescape_bytes(rest));
    } else if (line == "- decided by: balancer") {
      cases.back().decided_by_parser = false;
    }
  }
}

// All cases of test/wire/`folder`; the tests run from the repository's root.
inline std::vector<WireCase> load_wire_cases(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path("test/wire") / folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<WireCase> cases;
  for (const auto& path : paths) read_wire_file(path, cases);
  return cases;
}

}  // namespace weir
