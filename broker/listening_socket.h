// ListeningSocket: a SOCK_SEQPACKET socket that listens on a path in the file system.
//
// Process: broker. Owns the socket and, if it has bound it, the path: that is unlinked at the end,
// unless somebody has put something else there. The path of an inherited socket is another's.
// Threads: any one at a time.
// Hostile input: what others put at the path. Its folder must be one where only root, the broker's
// user and its group can do that. The folders above are not looked at; whoever may rename one of
// them can make workers meet a socket of theirs. But nothing that is not ours is given an owner or
// a mode: what was opened is not trusted to be the socket until a connection to it has come out
// here.
//
// Needs /proc. Sources: unix(7), proc(5).

#ifndef SOCKGATE_BROKER_LISTENING_SOCKET_H_
#define SOCKGATE_BROKER_LISTENING_SOCKET_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/policy/listen_at.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ListeningSocket {
 public:
  // Non-blocking. A socket that nobody listens on any more is replaced; anything else in its place
  // is an error, and so is a folder that belongs to another user than root and the broker's, or
  // where all may write that is not sticky. The error names the path.
  static absl::StatusOr<ListeningSocket> Bind(const ListenAt& at);
  // One that listens at `path` already, bound by whoever started this process (inherited_sockets.h).
  static ListeningSocket Adopt(std::string path, UniqueFd socket);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket&&) = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;

  // How many may wait to be accepted: unix(7) lets one more in than listen(2) was told.
  static constexpr int kMaxWaiting = 129;

  // Gives the path the owner, the group and the mode of `at`. One that was adopted keeps its own.
  absl::Status Grant(const ListenAt& at) const;

  // Whether the path still leads here: nobody has unlinked it, or put something else there. One that
  // was adopted always does, as far as this process is concerned.
  bool HoldsPath() const;

  int get() const { return socket_.get(); }

 private:
  ListeningSocket(std::string path, UniqueFd socket, bool adopted)
      : path_(std::move(path)), socket_(std::move(socket)), adopted_(adopted) {}

  // Opens the path, if it leads here.
  absl::Status FindPlace();

  std::string path_;
  UniqueFd socket_;
  bool adopted_;
  // O_PATH, of the socket that was bound; keeps its inode from being anybody else's.
  UniqueFd place_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LISTENING_SOCKET_H_
