#include "tests/support/byte_pattern.h"

#include <algorithm>

namespace sockgate::testing {
namespace {

constexpr uint64_t kReadyBytes = kPatternPeriod * 1024;

const std::string& ReadyBytes() {
  static const auto* const bytes = new std::string(PatternBytes(kReadyBytes));
  return *bytes;
}

}  // namespace

std::string PatternBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = PatternByte(i);
  return bytes;
}

absl::string_view PatternSlice(uint64_t offset, uint64_t limit) {
  const uint64_t start = offset % kPatternPeriod;
  const uint64_t size = std::min(limit, kReadyBytes - start);
  return absl::string_view(ReadyBytes()).substr(start, size);
}

}  // namespace sockgate::testing
