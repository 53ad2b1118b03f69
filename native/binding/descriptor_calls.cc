#include "binding/descriptor_calls.h"

#include "binding/napi_util.h"
#include "loop/descriptor_channel.h"
#include "loop/notify.h"
#include "loop/socket_facts.h"

namespace weir::binding {

namespace {

struct Args {
  napi_value at[2] = {};

  Args(napi_env env, napi_callback_info info) {
    size_t count = 2;
    napi_get_cb_info(env, info, &count, at, nullptr, nullptr);
  }
};

napi_value null(napi_env env) {
  napi_value v = nullptr;
  napi_get_null(env, &v);
  return v;
}

napi_value utf8(napi_env env, const std::string& s) {
  napi_value v = nullptr;
  napi_create_string_utf8(env, s.data(), s.size(), &v);
  return v;
}

// Their numbers; from now on they are JavaScript's.
napi_value give(napi_env env, std::vector<UniqueFd>& fds) {
  napi_value list = nullptr;
  napi_create_array_with_length(env, fds.size(), &list);
  for (size_t i = 0; i < fds.size(); ++i) napi_set_element(env, list, uint32_t(i), make_int(env, fds[i].release()));
  return list;
}

napi_value create_channel(napi_env env, napi_callback_info) {
  std::vector<UniqueFd> ends(2);
  if (const int error = open_channel(ends[0], ends[1])) return throw_errno(env, error, "cannot create a channel to a worker");
  return give(env, ends);
}

napi_value send_fds(napi_env env, napi_callback_info info) {
  const Args args(env, info);
  std::vector<int> fds;
  each(env, args.at[1], [&](napi_value v) { fds.push_back(int(number(env, v, -1))); });
  if (const int error = send_descriptors(int(number(env, args.at[0], -1)), fds)) return throw_errno(env, error, "cannot send descriptors");
  return undefined(env);
}

napi_value receive_fds(napi_env env, napi_callback_info info) {
  const Args args(env, info);
  std::vector<UniqueFd> fds;
  const int error = receive_descriptors(int(number(env, args.at[0], -1)), size_t(number(env, args.at[1])), fds);
  if (error) return throw_errno(env, error, "cannot receive descriptors");
  return give(env, fds);
}

napi_value socket_address(napi_env env, napi_callback_info info) {
  const Args args(env, info);
  const auto found = listening_address(int(number(env, args.at[0], -1)));
  if (!found) return null(env);
  napi_value o = nullptr;
  napi_create_object(env, &o);
  if (found->is_path) {
    napi_set_named_property(env, o, "path", utf8(env, found->path));
  } else {
    napi_set_named_property(env, o, "host", utf8(env, found->host));
    napi_set_named_property(env, o, "port", make_int(env, found->port));
  }
  return o;
}

napi_value peer_of(napi_env env, napi_callback_info info) {
  const Args args(env, info);
  const auto peer = peer_process(int(number(env, args.at[0], -1)));
  if (!peer) return null(env);
  napi_value o = nullptr;
  napi_create_object(env, &o);
  napi_set_named_property(env, o, "pid", make(env, double(peer->pid)));
  napi_set_named_property(env, o, "uid", make(env, double(peer->uid)));
  return o;
}

napi_value notify_supervisor(napi_env env, napi_callback_info info) {
  const Args args(env, info);
  return make(env, notify(text(env, args.at[0]), text(env, args.at[1])));
}

}  // namespace

void add_descriptor_calls(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> calls[] = {
      {"createChannel", create_channel}, {"sendFds", send_fds},  {"receiveFds", receive_fds},
      {"socketAddress", socket_address}, {"peerOf", peer_of},    {"notify", notify_supervisor},
  };
  for (const auto& [name, call] : calls) {
    napi_value f = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &f);
    napi_set_named_property(env, exports, name, f);
  }
}

}  // namespace weir::binding
