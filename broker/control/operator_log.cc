#include "broker/control/operator_log.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

constexpr absl::string_view kCut = "...";

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string OneLine(absl::string_view text) {
  std::string line{text.substr(0, PIPE_BUF - 1)};
  if (line.size() < text.size()) line.replace(line.size() - kCut.size(), kCut.size(), kCut.data());
  std::replace_if(line.begin(), line.end(), IsControl, '?');
  line.push_back('\n');
  return line;
}

// A pipe whose reader has gone polls writable and broken at once, and a write to it raises SIGPIPE.
bool Writable(int fd) {
  pollfd entry = {fd, POLLOUT, 0};
  return poll(&entry, 1, 0) == 1 && entry.revents == POLLOUT;
}

}  // namespace

void OperatorLog::Line(absl::string_view text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (lost_ != 0 && Write(absl::StrCat("sockgate broker: ", lost_, " lines lost"))) lost_ = 0;
  if (lost_ != 0 || !Write(text)) ++lost_;
}

bool OperatorLog::Write(absl::string_view text) {
  if (!Writable(fd_.get())) return false;
  const std::string line = OneLine(text);
  // A socket cannot be opened anew with O_NONBLOCK, and is one thing that send(2) can do for us.
  ssize_t size = send(fd_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0 && errno == ENOTSOCK) size = write(fd_.get(), line.data(), line.size());
  return size > 0;
}

}  // namespace sockgate
