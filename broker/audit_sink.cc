#include "broker/audit_sink.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

namespace sockgate {
namespace {

// A write of at most PIPE_BUF bytes to a pipe that polls writable does not block, and is never torn;
// to a file any size may be written.
size_t LargestWrite(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? SSIZE_MAX : PIPE_BUF;
}

// A pipe whose reader has gone polls writable and broken at once, and a write to it raises SIGPIPE.
bool Writable(int fd) {
  pollfd entry = {fd, POLLOUT, 0};
  return poll(&entry, 1, 0) == 1 && entry.revents == POLLOUT;
}

// Whole lines of at most `most` bytes, or the first one.
absl::string_view Chunk(absl::string_view lines, size_t most) {
  const size_t end = lines.substr(0, most).rfind('\n');
  return end == absl::string_view::npos ? lines.substr(0, most) : lines.substr(0, end + 1);
}

}  // namespace

AuditSink::AuditSink(UniqueFd fd)
    : wanted_(fd.valid()), fd_(std::move(fd)), largest_write_(LargestWrite(fd_.get())) {}

size_t AuditSink::Write(absl::string_view lines) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!FinishCut()) return 0;
  size_t taken = 0;
  while (taken < lines.size()) {
    const absl::string_view chunk = Chunk(lines.substr(taken), largest_write_);
    const size_t written = WriteSome(chunk);
    if (written == chunk.size()) {
      taken += written;
      continue;
    }
    const size_t whole = written == 0 ? 0 : chunk.rfind('\n', written - 1) + 1;
    taken += whole;
    if (written == whole) break;
    const absl::string_view cut = chunk.substr(whole, chunk.find('\n', written) + 1 - whole);
    cut_.assign(cut.data(), cut.size());
    cut_at_ = written - whole;
    taken += cut.size();
    break;
  }
  return taken;
}

void AuditSink::Replace(UniqueFd fd) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FinishCut();
  cut_at_ = 0;
  fd_ = std::move(fd);
  largest_write_ = LargestWrite(fd_.get());
}

size_t AuditSink::WriteSome(absl::string_view text) {
  while (Writable(fd_.get())) {
    const ssize_t size = write(fd_.get(), text.data(), text.size());
    if (size > 0) return static_cast<size_t>(size);
    if (size == 0 || errno != EINTR) return 0;
  }
  return 0;
}

bool AuditSink::FinishCut() {
  if (cut_.empty()) return true;
  cut_at_ += WriteSome(absl::string_view(cut_).substr(cut_at_));
  if (cut_at_ < cut_.size()) return false;
  cut_.clear();
  return true;
}

}  // namespace sockgate
