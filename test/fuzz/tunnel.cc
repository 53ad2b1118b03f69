// Whatever clients and servers of L4 connections do, in any order: the engine neither crashes nor hangs nor keeps anything, what
// arrives on one side is what the other side sent, and no stream that was cut looks whole. Input: a script, see
// test/native/lib/tunnel_script.h.
#include <memory>

#include "lib/tunnel_script.h"

using namespace weir;

namespace {

std::unique_ptr<TestBed> make_bed(TestBed::Sockets sockets) {
  auto bed = std::make_unique<TestBed>(sockets);
  bed->listener().protocol = abi::protocol::tcp;
  // The two further servers that scripts know.
  const Address dead = loopback(1);
  (void)bed->add_server({dead});
  (void)bed->add_server({dead, bed->server_address()});
  return bed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Engines live as long as the process: what one input left behind would show with the next.
  static const std::unique_ptr<TestBed> over_tcp = make_bed(TestBed::Sockets::tcp), over_unix = make_bed(TestBed::Sockets::unix_path);
  if (size == 0 || size > 512) return 0;
  TunnelScript(data[0] & 1 ? *over_unix : *over_tcp).play(data, size);
  return 0;
}
