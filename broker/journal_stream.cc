#include "broker/journal_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/path_failure.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

// Identifier, unit (the journal knows it), priority (info), no "<N>" before each line, and forwarded
// neither to syslog nor to the kernel's log nor to the console.
constexpr absl::string_view kHeader = "sockgate\n\n6\n0\n0\n0\n0\n";

absl::Status Error(const std::string& path) {
  const int error = errno;
  return {absl::ErrnoToStatusCode(error),
          absl::StrCat("cannot write to the journal at ", path, ": ", strerror(error),
                       "; where none runs, write the audit log to a file")};
}

}  // namespace

absl::StatusOr<UniqueFd> OpenJournalStream(const std::string& path) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) return NoSocketPath(path);
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  UniqueFd journal(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!journal.valid() ||
      connect(journal.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      shutdown(journal.get(), SHUT_RD) != 0) {
    return Error(path);
  }
  // A new socket has room for it.
  const ssize_t sent = send(journal.get(), kHeader.data(), kHeader.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(kHeader.size())) return Error(path);
  return journal;
}

}  // namespace sockgate
