// OpenJournalStream: a connection to the system's journal, where each line becomes an entry.
//
// Process: broker, before its cage and in it. The caller owns the socket.
// Blocking: never, nor do writes to it; while the journal does not read, they fail with EAGAIN.
// Trusted input: who listens at the path.
// Failure: an error that names the path.
//
// Sources: systemd's native "stdout" protocol, as sd_journal_stream_fd(3) speaks it: seven lines say
// what all that follows is.

#ifndef SOCKGATE_BROKER_JOURNAL_STREAM_H_
#define SOCKGATE_BROKER_JOURNAL_STREAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

inline constexpr char kJournalPath[] = "/run/systemd/journal/stdout";

absl::StatusOr<UniqueFd> OpenJournalStream(const std::string& path = kJournalPath);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_JOURNAL_STREAM_H_
