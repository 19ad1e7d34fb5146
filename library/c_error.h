// What the functions of sockgate.h have in common: how a failure becomes a code and a
// sockgate_error, and how structs of another version are taken.
//
// Process: any. Ownership: nothing is kept. Threads: any, does not block.
// Failure: none of its own. No exception passes Guarded(); the unwinding by which glibc ends a
// thread does, since who stops that is aborted. Source: pthread_cancel(3).

#ifndef SOCKGATE_LIBRARY_C_ERROR_H_
#define SOCKGATE_LIBRARY_C_ERROR_H_

#include <cxxabi.h>

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

// How long each struct was in version 0.1, the least that a caller can have. In numbers, since these
// stay when the struct grows.
template <typename Struct>
constexpr size_t kFirstSize = 0;
template <>
inline constexpr size_t kFirstSize<sockgate_error> = 568;
template <>
inline constexpr size_t kFirstSize<sockgate_socket> = 24;
template <>
inline constexpr size_t kFirstSize<sockgate_confinement> = 40;
template <>
inline constexpr size_t kFirstSize<sockgate_in_force> = 304;
template <>
inline constexpr size_t kFirstSize<sockgate_worker_options> = 40;

template <typename Struct>
bool HasFirstSize(const Struct& theirs) {
  static_assert(kFirstSize<Struct> != 0 && kFirstSize<Struct> <= sizeof(Struct));
  return theirs.size >= kFirstSize<Struct>;
}

// A caller's struct that is read: as this library knows it, with zeros where the caller's is
// shorter. Nothing when it is shorter than its first version, or when it asks for what this library
// does not know.
template <typename Struct>
std::optional<Struct> TakeStruct(const Struct& theirs) {
  const size_t size = theirs.size;
  if (!HasFirstSize(theirs) || size > 4096) return std::nullopt;
  const auto* bytes = reinterpret_cast<const char*>(&theirs);
  const auto is_zero = [](char byte) { return byte == 0; };
  if (!std::all_of(bytes + std::min(size, sizeof(Struct)), bytes + size, is_zero)) {
    return std::nullopt;
  }
  Struct ours = {};
  std::memcpy(&ours, bytes, std::min(size, sizeof(Struct)));
  return ours;
}

// One that is written. What is newer than version 0.1 in it is written where its size has it.
template <typename Struct>
bool IsWritable(const Struct* theirs) {
  return theirs == nullptr || HasFirstSize(*theirs);
}

// Runs `body`, which returns a code. The caller is C and could not catch anything.
template <typename Body>
int Guarded(sockgate_error* error, const Body& body) {
  if (!IsWritable(error)) return SOCKGATE_BAD_ARGUMENT;
  try {
    const int code = body();
    return code == SOCKGATE_OK ? Succeed(error) : code;
  } catch (const std::bad_alloc&) {
    return Fail(error, SOCKGATE_NO_MEMORY, "no memory is left");
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return Fail(error, SOCKGATE_SYSTEM, "an exception that nobody expected");
  }
}

}  // namespace sockgate::c

#endif  // SOCKGATE_LIBRARY_C_ERROR_H_
