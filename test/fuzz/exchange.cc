// Whatever clients and servers do, in any order: the engine neither crashes nor hangs nor keeps anything, servers get strictly framed
// requests only, and no message that was cut looks whole. Input: a script, see test/native/lib/script.h.
#include <memory>

#include "lib/script.h"

using namespace weir;

namespace {

std::unique_ptr<TestBed> make_bed(TestBed::Sockets sockets) {
  auto bed = std::make_unique<TestBed>(sockets);
  HeaderEdit id;
  id.name = "X-Exchange";
  id.value.push_back({abi::placeholder::request_id, ""});
  bed->plan().response.add(std::move(id));
  // Slot 1: a server that refuses.
  Server dead;
  Address at;
  if (!Address::from_ip("127.0.0.1", 1, at)) abort();
  dead.addresses.push_back(at);
  bed->engine.pool.define(1, std::move(dead));
  return bed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Engines live as long as the process: what one input left behind would show with the next.
  static const std::unique_ptr<TestBed> over_tcp = make_bed(TestBed::Sockets::tcp), over_unix = make_bed(TestBed::Sockets::unix_path);
  if (size == 0 || size > 4096) return 0;
  Script(data[0] & 1 ? *over_unix : *over_tcp).play(data, size);
  return 0;
}
