#include "tool/fetch/body_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/fetch/interruptible_write.h"

namespace sockgate {
namespace {

using Kind = BodyPlace::Kind;

}  // namespace

absl::Status BodyOutput::Begin() {
  if (file_.has_value()) return file_->Restart();
  if (place_.kind == Kind::kFile || place_.kind == Kind::kRemoteName) {
    auto file = place_.kind == Kind::kFile
                    ? OutputFile::Open(place_.path, place_.existing, stop_)
                    : OutputFile::OpenBeneath(place_.folder, place_.path, place_.existing);
    if (!file.ok()) return file.status();
    file_.emplace(*std::move(file));
    return absl::OkStatus();
  }
  return place_.kind == Kind::kStandardOutput && place_.whole ? OpenUnnamed() : absl::OkStatus();
}

absl::Status BodyOutput::Add(absl::string_view piece) {
  if (file_.has_value()) {
    if (!file_->CanRestart()) written_ += piece.size();
    return Write(file_->descriptor(), piece, file_->path());
  }
  if (place_.kind == Kind::kNowhere) return absl::OkStatus();
  if (unnamed_.valid()) return Write(unnamed_.get(), piece, "a temporary file");
  return AddToStandardOutput(piece);
}

absl::Status BodyOutput::Finish() {
  if (file_.has_value()) return file_->Keep();
  if (unnamed_.valid()) {
    absl::Status status = CopyWhole();
    if (!status.ok()) return status;
  }
  if (place_.kind != Kind::kStandardOutput || !place_.spelled_out) return absl::OkStatus();
  return Write(STDOUT_FILENO, shown_.End(), "standard output");
}

absl::Status BodyOutput::Write(int fd, absl::string_view bytes, absl::string_view where) const {
  if (WriteUnlessStopped(stop_, fd, bytes)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", where));
}

bool BodyOutput::CanRestart() const { return written_ == 0; }

absl::Status BodyOutput::AddToStandardOutput(absl::string_view piece) {
  if (!place_.spelled_out) {
    written_ += piece.size();
    return Write(STDOUT_FILENO, piece, "standard output");
  }
  if (piece.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "the body is binary, and standard output is a terminal: write -o FILE, or -o - to have it "
        "all the same");
  }
  const std::string text = shown_.Add(piece);
  written_ += text.size();
  return Write(STDOUT_FILENO, text, "standard output");
}

absl::Status BodyOutput::CopyWhole() {
  if (lseek(unnamed_.get(), 0, SEEK_SET) != 0) return absl::ErrnoToStatus(errno, "lseek");
  char part[65536];
  for (;;) {
    const ssize_t size = read(unnamed_.get(), part, sizeof(part));
    if (size == 0) return absl::OkStatus();
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "cannot read a temporary file");
    absl::Status status = AddToStandardOutput({part, static_cast<size_t>(size)});
    if (!status.ok()) return status;
  }
}

absl::Status BodyOutput::OpenUnnamed() {
  const char* folder = getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  unnamed_.Reset(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (unnamed_.valid()) return absl::OkStatus();
  return absl::ErrnoToStatus(
      errno, absl::StrCat("no temporary file in ", folder, " (set TMPDIR to another folder)"));
}

}  // namespace sockgate
