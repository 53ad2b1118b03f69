// A PROXY line is read as a plain reading of the whole line has it, however it arrives; what is not refused yet can become a line.
// Input    what the peer sends.
#include <arpa/inet.h>

#include <string>
#include <vector>

#include "proxy_header_checks.h"

using namespace weir;
using namespace weir::fuzz;

namespace {

// Fields between single spaces.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  for (size_t space; (space = line.find(' ')) != std::string_view::npos; line.remove_prefix(space + 1))
    fields.emplace_back(line.substr(0, space));
  fields.emplace_back(line);
  return fields;
}

bool is_port(const std::string& text, uint16_t& out) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos) return false;
  const int value = atoi(text.c_str());
  out = static_cast<uint16_t>(value);
  return value <= 65535 && std::to_string(value) == text;
}

bool is_ip(const std::string& text, bool v4, PeerIp& out) {
  out = PeerIp{};
  if (text.find('\0') != std::string::npos) return false;
  if (!v4) return inet_pton(AF_INET6, text.c_str(), out.bytes) == 1;
  out.bytes[10] = out.bytes[11] = 0xff;
  return inet_pton(AF_INET, text.c_str(), out.bytes + 12) == 1;
}

// The length of the line that `bytes` starts with; 0 if there is none.
size_t plain_read(std::string_view bytes, ProxyHeader& out) {
  const size_t end = bytes.substr(0, 107).find("\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view line = bytes.substr(0, end);
  if (line.find_first_of("\r\n") != std::string_view::npos) return 0;
  if (line.starts_with("PROXY UNKNOWN")) return end + 2;
  const std::vector<std::string> fields = fields_of(line);
  if (fields.size() != 6 || fields[0] != "PROXY" || (fields[1] != "TCP4" && fields[1] != "TCP6")) return 0;
  const bool v4 = fields[1] == "TCP4";
  ProxyAddresses& a = out.addresses;
  out.has_addresses = is_ip(fields[2], v4, a.source) && is_ip(fields[3], v4, a.destination) && is_port(fields[4], a.source_port) &&
                      is_port(fields[5], a.destination_port);
  return out.has_addresses ? end + 2 : 0;
}

// Adds bytes that the reader lets pass until the line is complete; those that end something come first.
bool can_be_completed(std::string line) {
  if (line.empty()) line = "P";  // CR would start version 2
  while (line.size() < 107) {
    ProxyRead read{ProxyRead::Kind::failed};
    for (const char c : std::string_view("\n\r :.01PROXYTC4UNKW")) {
      ProxyHeader header;
      line += c;
      read = read_proxy_header(line, header);
      if (read.kind != ProxyRead::Kind::failed) break;
      line.pop_back();
    }
    if (read.kind != ProxyRead::Kind::incomplete) return read.kind == ProxyRead::Kind::complete;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 256 || (size > 0 && data[0] == '\r')) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ProxyRead read = check_prefixes(bytes);
  ProxyHeader header, plain;
  require(read_proxy_header(bytes, header).kind == read.kind);
  const size_t length = plain_read(bytes, plain);
  require((read.kind == ProxyRead::Kind::complete) == (length > 0) && read.bytes == length);
  if (length > 0) require(header.has_addresses == plain.has_addresses);
  if (length > 0 && plain.has_addresses) require_same(header.addresses, plain.addresses);
  // Addresses that are longer than any that need be written can leave too little room for the rest of the line.
  if (read.kind == ProxyRead::Kind::incomplete && size < 80) require(can_be_completed(std::string(bytes)));
  return 0;
}
