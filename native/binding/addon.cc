// Module init: one table lists every export. Contract: src/native/contract.ts.
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/abi.h"
#include "binding/descriptor_calls.h"
#include "binding/engine_wrap.h"
#include "binding/napi_util.h"
#include "binding/reader_calls.h"
#include "loop/listening_socket.h"
#include "stats/board.h"

namespace weir::binding {

napi_value throw_errno(napi_env env, int error, const std::string& message) {
  const char* code = ::strerrorname_np(error);
  napi_throw_error(env, code ? code : "EUNKNOWN", (message + ": " + ::strerror(error)).c_str());
  return nullptr;
}

napi_value view_of(napi_env env, void* memory, size_t bytes) {
  napi_value buffer = nullptr;
  napi_create_external_arraybuffer(env, memory, bytes, nullptr, nullptr, &buffer);
  return buffer;
}

namespace {

napi_value only_argument(napi_env env, napi_callback_info info, size_t want, napi_value* args) {
  size_t count = want;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  return args[0];
}

// openListener({ host, port } | { path }, backlog) -> { fd, port }
napi_value open_listener(napi_env env, napi_callback_info info) {
  napi_value args[2];
  const napi_value at = only_argument(env, info, 2, args);
  const napi_value path = get(env, at, "path");
  const int backlog = int(number(env, args[1], 511));
  Listening made;
  if (!is_nullish(env, path)) made = listen_on_path(text(env, path), backlog);
  else made = listen_on_ip(text_at(env, at, "host"), uint16_t(number_at(env, at, "port")), backlog);
  if (!made.fd.valid()) return throw_errno(env, made.error, made.step);
  napi_value o = nullptr;
  napi_create_object(env, &o);
  napi_set_named_property(env, o, "port", make_int(env, made.port));
  napi_set_named_property(env, o, "fd", make_int(env, made.fd.release()));
  return o;
}

napi_value close_fd(napi_env env, napi_callback_info info) {
  napi_value args[1];
  ::close(int(number(env, only_argument(env, info, 1, args), -1)));
  return undefined(env);
}

// createBoard(workers) -> fd
napi_value create_board(napi_env env, napi_callback_info info) {
  napi_value args[1];
  const int fd = Board::create(unsigned(number(env, only_argument(env, info, 1, args), 1)));
  if (fd < 0) return throw_errno(env, errno, "cannot create the shared counters");
  return make_int(env, fd);
}

// createWaker() -> fd: an eventfd by which workers wake one of them.
napi_value create_waker(napi_env env, napi_callback_info) {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "cannot create an eventfd");
  return make_int(env, fd);
}

// mapBoard(fd, workers) -> ArrayBuffer, for the primary: it reads all columns and writes none of a live worker.
napi_value map_board(napi_env env, napi_callback_info info) {
  napi_value args[2];
  only_argument(env, info, 2, args);
  static Board board;  // one per process
  if (!board.base() && !board.map(int(number(env, args[0], -1)), unsigned(number(env, args[1], 1)), 0))
    return throw_errno(env, errno, "cannot map the shared counters");
  return view_of(env, board.base(), board.size());
}

napi_value init(napi_env env, napi_value exports) {
  const auto function = [&](const char* name, napi_callback cb) {
    napi_value f = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, cb, nullptr, &f);
    napi_set_named_property(env, exports, name, f);
  };
  napi_set_named_property(env, exports, "abiVersion", make_int(env, abi::version));
  function("openListener", open_listener);
  function("closeFd", close_fd);
  function("createBoard", create_board);
  function("createWaker", create_waker);
  function("mapBoard", map_board);
  add_descriptor_calls(env, exports);
  napi_set_named_property(env, exports, "Engine", engine_class(env));
  napi_set_named_property(env, exports, "RecordReader", record_reader_class(env));
  return exports;
}

}  // namespace

}  // namespace weir::binding

NAPI_MODULE(NODE_GYP_MODULE_NAME, weir::binding::init)
