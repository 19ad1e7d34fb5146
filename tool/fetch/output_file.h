// OutputFile: where one body goes: into a file that gets its name when the body is complete, or
// into whatever else the path leads to.
//
// Process: the launcher, unconfined, which writes what a worker sends it.
// Ownership: the object owns the descriptor, and the hidden file until Keep(); its destructor
// removes what was not kept. A launcher that is killed by SIGKILL leaves ".NAME.XXXXXX" behind.
// Blocking: as the file system does, and Open() until a pipe has a reader.
// Hostile inputs: none; see output_name.h for names that are.
// Failure: a Status that names the path.

#ifndef SOCKGATE_TOOL_FETCH_OUTPUT_FILE_H_
#define SOCKGATE_TOOL_FETCH_OUTPUT_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

class OutputFile {
 public:
  // What becomes of a file that has the name already. kNumber: it stays, and the new one is called
  // NAME.1, or so on to NAME.100.
  enum class Existing { kReplace, kNumber };

  // What is no regular file, a device or a pipe, is written to as it is. A link is followed, if it
  // leads to something. A pipe without a reader is waited for until it has one; Cancelled: `stop`
  // was readable first.
  static absl::StatusOr<OutputFile> Open(const std::string& path, Existing existing, int stop = -1);
  // The same for a name that a URL chose, which never leads anywhere else: a link is replaced.
  static absl::StatusOr<OutputFile> OpenBeneath(const std::string& folder, const std::string& name,
                                                Existing existing);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int descriptor() const { return descriptor_.get(); }
  // Where the body is, or will be.
  const std::string& path() const { return path_; }

  // Whether what was written can be taken back: not from a pipe or a terminal.
  bool CanRestart() const;
  // Takes back what was written: another attempt begins.
  absl::Status Restart();

  // The body is complete: gives the file its name.
  absl::Status Keep();

 private:
  OutputFile(UniqueFd descriptor, std::string path, std::string hidden, Existing existing);

  static absl::StatusOr<OutputFile> OpenHidden(const std::string& path, Existing existing);
  // False, with errno set.
  bool GiveName();
  bool GiveFreeName();

  UniqueFd descriptor_;
  std::string path_;
  std::string hidden_;  // empty: it has its name
  Existing existing_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_OUTPUT_FILE_H_
