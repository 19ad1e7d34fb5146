// BodyOutput: where the body of one transfer goes.
//
// Process: the launcher. Bodies come to it from a confined worker, which has no descriptor of a file
// or of standard output.
// Ownership: owns its file, and what is kept of a body that waits to be whole; standard output is
// lent. Threads: one. Blocking: as files, pipes and terminals do.
// Hostile inputs: the body. On a terminal nothing in it is obeyed (terminal_text.h).
// Failure: a Status with what to do.
//
// | place                       | what comes there, and when                                   |
// |-----------------------------|--------------------------------------------------------------|
// | a file                      | each piece; it gets its name at the end                      |
// | standard output             | each piece                                                   |
// | standard output, with       | the whole at the end, from a file without a name: bodies do  |
// | others under way or retries | not mix, and one that fails is not seen                      |
// | standard output, a terminal | as one of the two, spelled out; none that has a zero byte    |
// | nowhere                     | nothing                                                      |

#ifndef SOCKGATE_TOOL_FETCH_BODY_OUTPUT_H_
#define SOCKGATE_TOOL_FETCH_BODY_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tool/fetch/output_file.h"
#include "tool/fetch/terminal_text.h"

namespace sockgate {

struct BodyPlace {
  enum class Kind {
    kNowhere,
    kStandardOutput,
    kFile,        // `path`, which the command line names
    kRemoteName,  // `path` in `folder`; a URL has named it
  };
  Kind kind = Kind::kStandardOutput;
  std::string folder;
  std::string path;
  OutputFile::Existing existing = OutputFile::Existing::kReplace;
  bool whole = false;        // standard output has it at the end
  bool spelled_out = false;  // standard output is a terminal, and nobody asked for it as it is
};

class BodyOutput {
 public:
  // The place is lent, and `stop`: when that is readable nothing is waited for any more.
  BodyOutput(const BodyPlace* place, int stop) : place_(*place), stop_(stop) {}

  // An attempt begins; what an earlier one has brought is taken back.
  absl::Status Begin();
  absl::Status Add(absl::string_view piece);
  // The body is complete.
  absl::Status Finish();

  // Whether another attempt can begin as if nothing had been.
  bool CanRestart() const;
  // Where it is; empty for no file.
  std::string path() const { return file_.has_value() ? file_->path() : ""; }

 private:
  absl::Status AddToStandardOutput(absl::string_view piece);
  absl::Status CopyWhole();
  absl::Status OpenUnnamed();

  absl::Status Write(int fd, absl::string_view bytes, absl::string_view where) const;

  const BodyPlace& place_;
  const int stop_;
  std::optional<OutputFile> file_;
  UniqueFd unnamed_;
  TerminalText shown_;
  uint64_t written_ = 0;  // to what takes nothing back
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_BODY_OUTPUT_H_
