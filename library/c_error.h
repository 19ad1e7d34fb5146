// What the functions of sockgate.h have in common: how a failure becomes a code and a
// sockgate_error, and how structs of another version are taken.
//
// Process: any. Ownership: nothing is kept. Threads: any, does not block.
// Failure: none of its own. No exception passes Guarded().

#ifndef SOCKGATE_LIBRARY_C_ERROR_H_
#define SOCKGATE_LIBRARY_C_ERROR_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "library/sockgate.h"

namespace sockgate::c {

// Each returns the code. `error` may be null.
int Succeed(sockgate_error* error);
int Fail(sockgate_error* error, int code, absl::string_view text);
int Fail(sockgate_error* error, const absl::Status& status);
int FailNull(sockgate_error* error, const char* argument);

// Control characters become '?'; what does not fit is cut, never within the NUL.
void CopyText(absl::string_view text, char* out, size_t size);

// A caller's struct that is read: as this library knows it, with zeros where the caller's is
// shorter. Nothing when it is shorter than its first version, here the size member and one more, or
// when it asks for what this library does not know.
template <typename Struct>
std::optional<Struct> TakeStruct(const Struct& theirs) {
  constexpr size_t kLeast =
      sizeof(Struct);  // of version 0.1; stays what it is when the struct grows
  const size_t size = theirs.size;
  if (size < kLeast || size > 4096) return std::nullopt;
  const auto* bytes = reinterpret_cast<const char*>(&theirs);
  const auto is_zero = [](char byte) { return byte == 0; };
  if (!std::all_of(bytes + std::min(size, sizeof(Struct)), bytes + size, is_zero)) {
    return std::nullopt;
  }
  Struct ours = {};
  std::memcpy(&ours, bytes, std::min(size, sizeof(Struct)));
  return ours;
}

// Of one that is written.
template <typename Struct>
bool IsWritable(const Struct* theirs) {
  return theirs == nullptr || theirs->size >= sizeof(Struct);
}

// Runs `body`, which returns a code. The caller is C and could not catch anything.
template <typename Body>
int Guarded(sockgate_error* error, const Body& body) noexcept {
  if (!IsWritable(error)) return SOCKGATE_BAD_ARGUMENT;
  try {
    const int code = body();
    return code == SOCKGATE_OK ? Succeed(error) : code;
  } catch (const std::bad_alloc&) {
    return Fail(error, SOCKGATE_NO_MEMORY, "no memory is left");
  } catch (...) {
    return Fail(error, SOCKGATE_SYSTEM, "an exception that nobody expected");
  }
}

}  // namespace sockgate::c

#endif  // SOCKGATE_LIBRARY_C_ERROR_H_
