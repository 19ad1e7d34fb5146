// RotatedFile: the audit log's file, which can be opened anew by its name when something has renamed
// it, from within the broker's cage too.
//
// Process: broker, before its cage and in it.
// Ownership: a value that owns a descriptor of the file's folder, which stays that folder's whatever
// becomes of its name.
// Threads: Open() any.
// Blocking: as long as open(2) of a file takes; never for the other end of a FIFO.
// Hostile inputs: what is at the name by then. A link is not followed, and what is no regular file is
// refused; whoever may make files in the folder may still have put a file of their own there.
// Failure: an error that names the file.
//
// The call is openat(2) with exactly kOpenFlags and kOpenMode, which is all that the broker's filter
// lets through that writes: nothing without O_APPEND.

#ifndef SOCKGATE_BROKER_ROTATED_FILE_H_
#define SOCKGATE_BROKER_ROTATED_FILE_H_

#include <fcntl.h>
#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

class RotatedFile {
 public:
  static constexpr int kOpenFlags =
      O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
  static constexpr mode_t kOpenMode = 0600;

  // The folder must be there, the file need not. Where the path is a link, the file is meant that it
  // leads to now.
  static absl::StatusOr<RotatedFile> At(const std::string& path);

  // The file that has the name now, made if need be.
  absl::StatusOr<UniqueFd> Open() const;

  // Both without links.
  const std::string& path() const { return path_; }
  std::string folder() const;

 private:
  RotatedFile(std::string path, UniqueFd folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}

  std::string path_;
  UniqueFd folder_;  // O_PATH
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ROTATED_FILE_H_
