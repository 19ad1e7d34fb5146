// The body of `/bytes/N`: a fixed sequence of bytes that a test can check at any offset.
//
// The period is a prime, so a piece that is lost, doubled or out of place does not go unnoticed, as
// it would where buffer sizes are multiples of the period. Process and threads: any; immutable
// data.

#ifndef SOCKGATE_TESTS_SUPPORT_BYTE_PATTERN_H_
#define SOCKGATE_TESTS_SUPPORT_BYTE_PATTERN_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sockgate::testing {

inline constexpr uint64_t kPatternPeriod = 251;

// The byte at `offset`: all values from 0 to 250 occur.
constexpr char PatternByte(uint64_t offset) { return static_cast<char>(offset % kPatternPeriod); }

// The first `size` bytes.
std::string PatternBytes(size_t size);

// A view of the bytes from `offset` on: as many as lie ready in static storage (64 KiB or more), or
// `limit` if that is less.
absl::string_view PatternSlice(uint64_t offset, uint64_t limit);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_BYTE_PATTERN_H_
