// What does it cost to find the pieces of a chunked body?
#include <cstdio>

#include "http/body_framing.h"
#include "operation.h"

namespace weir::guard {

namespace {

std::string chunks(unsigned count, size_t bytes) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes);
  std::string body;
  for (unsigned i = 0; i < count; ++i) body += size + std::string(bytes, 'x') + "\r\n";
  return body + "0\r\n\r\n";
}

Operation framing(const char* name, BodyKind kind, std::string body) {
  const size_t size = body.size();
  return {name, size, [kind, body = std::move(body)](unsigned times) {
            BodyFraming framing;
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                framing.start(kind, body.size());
                std::string_view rest = body, piece;
                while (const size_t used = framing.step(rest, piece)) rest.remove_prefix(used);
                keep(piece);
              }
            });
            require(framing.done(), "a body did not end");
          }};
}

}  // namespace

std::vector<Operation> operations() {
  return {
      framing("body-length", BodyKind::length, std::string(16384, 'x')),
      framing("body-chunks-16KiB", BodyKind::chunked, chunks(16, 16384)),
      framing("body-chunks-64B", BodyKind::chunked, chunks(64, 64)),
  };
}

}  // namespace weir::guard
