// Hands open descriptors to another process over a pair of sockets (unix(7), SCM_RIGHTS).
// Owns     nothing but what it returns: a descriptor that is sent stays open here and is opened anew over there.
#pragma once
#include <cstddef>
#include <vector>

#include "base/fd.h"

namespace weir {

// Two joined ends, closed on exec. 0, or an errno.
[[nodiscard]] int open_channel(UniqueFd& near, UniqueFd& far);

// All of them, in order, in as many messages as that takes. 0, or an errno: then some may have been sent. Waits at most a second each
// time that the other end is full.
[[nodiscard]] int send_descriptors(int channel, const std::vector<int>& fds);

// As many as that, in the order in which they were sent. Waits at most a second each time for the next message (ETIMEDOUT). Anything but
// 0 leaves `to` empty and closes what came: EPROTO when the messages do not have that many, EMFILE when this process has no room for
// them, ECONNRESET when the other end was closed.
[[nodiscard]] int receive_descriptors(int channel, size_t count, std::vector<UniqueFd>& to);

}  // namespace weir
