#include "tests/soak/audit_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

#include "absl/strings/string_view.h"

namespace sockgate::soak {
namespace {

constexpr size_t kAtOnce = size_t{64} << 10;

}  // namespace

bool AuditTail::Read() {
  if (!file_.valid()) file_.Reset(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  std::string block(kAtOnce, '\0');
  const ssize_t size = file_.valid() ? pread(file_.get(), block.data(), block.size(), at_) : 0;
  if (size <= 0) return false;
  // Where the file system cannot, the file stays as long as it is.
  static_cast<void>(fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at_, size));
  at_ += size;
  rest_.append(block, 0, static_cast<size_t>(size));
  size_t begin = 0;
  for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    ledger_.AddText(absl::string_view(rest_).substr(begin, end - begin));
  }
  rest_.erase(0, begin);
  return true;
}

}  // namespace sockgate::soak
