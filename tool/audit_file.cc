#include "tool/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/journal_stream.h"
#include "broker/path_failure.h"
#include "broker/rotated_file.h"

namespace sockgate {
namespace {

constexpr char kJournal[] = "journald";

bool IsSomethingElse(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

absl::StatusOr<AuditPlace> OpenJournal() {
  auto journal = OpenJournalStream();
  if (!journal.ok()) return journal.status();
  return AuditPlace{*std::move(journal), [] { return OpenJournalStream(); }};
}

absl::StatusOr<AuditPlace> OpenFile(const std::string& path) {
  auto at = RotatedFile::At(path);
  if (!at.ok()) return at.status();
  const auto file = std::make_shared<const RotatedFile>(*std::move(at));
  auto opened = file->Open();
  if (!opened.ok()) return opened.status();
  return AuditPlace{*std::move(opened), [file] { return file->Open(); }, file->folder()};
}

}  // namespace

absl::StatusOr<AuditPlace> OpenAuditPlace(const std::string& path) {
  if (path == kJournal) return OpenJournal();
  if (!path.empty() && path != "-" && !IsSomethingElse(path)) return OpenFile(path);
  auto descriptor = OpenAuditFile(path);
  if (!descriptor.ok()) return descriptor.status();
  return AuditPlace{*std::move(descriptor)};
}

UniqueFd OwnStandardError() {
  UniqueFd own(open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!own.valid()) own.Reset(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return own;
}

absl::StatusOr<UniqueFd> OpenAuditFile(const std::string& path) {
  if (path.empty()) return UniqueFd();
  UniqueFd file(path == "-" ? OwnStandardError().Release()
                            : open(path.c_str(),
                                   O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.valid()) return PathError(errno, absl::StrCat("cannot write ", path), path);
  return file;
}

}  // namespace sockgate
