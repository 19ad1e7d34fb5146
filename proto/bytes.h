// ByteReader and ByteWriter: bounded cursors over a caller's buffer, little-endian, with sticky
// failure.
//
// Process: any. They own nothing, never allocate, and never touch a byte outside their buffer.
// Hostile input: what a reader reads. The first read that cannot be satisfied fails the reader for
// good: it names the field, and every later read returns zero. So a decoder reads straight through
// and asks once.

#ifndef SOCKGATE_PROTO_BYTES_H_
#define SOCKGATE_PROTO_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sockgate {

class ByteReader {
 public:
  explicit ByteReader(absl::Span<const uint8_t> bytes) : left_(bytes) {}

  // `field` must be a string literal: it is kept, not copied.
  uint8_t U8(const char* field) { return Integer<uint8_t>(field); }
  uint16_t U16(const char* field) { return Integer<uint16_t>(field); }
  uint32_t U32(const char* field) { return Integer<uint32_t>(field); }

  // Fills `count` bytes at `out`, with zeros on failure.
  void Copy(const char* field, void* out, size_t count) {
    std::memset(out, 0, count);
    if (Take(field, count)) std::memcpy(out, taken_, count);
  }

  // A view into the buffer, empty on failure.
  absl::string_view View(const char* field, size_t count) {
    if (!Take(field, count)) return {};
    return {reinterpret_cast<const char*>(taken_), count};
  }

  // `count` bytes that must all be zero, so that they can get a meaning later.
  void Zeros(const char* field, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (U8(field) != 0) Fail(field);
    }
  }

  // Ends the message: bytes left over are a failure.
  void End() {
    if (!left_.empty()) Fail("trailing bytes");
  }

  // For a value that was read but is not acceptable. Only the first failure is kept.
  void Fail(const char* field) {
    if (failed_ == nullptr) failed_ = field;
    left_ = {};
  }

  bool ok() const { return failed_ == nullptr; }
  // The field that failed first, or null.
  const char* failed_field() const { return failed_; }

 private:
  bool Take(const char* field, size_t count) {
    if (failed_ != nullptr || count > left_.size()) {
      Fail(field);
      return false;
    }
    taken_ = left_.data();
    left_.remove_prefix(count);
    return true;
  }

  template <typename T>
  T Integer(const char* field) {
    if (!Take(field, sizeof(T))) return 0;
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value | static_cast<T>(taken_[i]) << (8 * i));
    }
    return value;
  }

  absl::Span<const uint8_t> left_;
  const uint8_t* taken_ = nullptr;
  const char* failed_ = nullptr;
};

class ByteWriter {
 public:
  explicit ByteWriter(absl::Span<uint8_t> bytes) : bytes_(bytes) {}

  void U8(uint8_t value) { Integer(value); }
  void U16(uint16_t value) { Integer(value); }
  void U32(uint32_t value) { Integer(value); }

  void Copy(const void* from, size_t count) {
    if (uint8_t* to = Take(count); to != nullptr && count > 0) std::memcpy(to, from, count);
  }

  void Zeros(size_t count) {
    if (uint8_t* to = Take(count); to != nullptr && count > 0) std::memset(to, 0, count);
  }

  // False once something did not fit; the buffer's contents are then meaningless.
  bool ok() const { return ok_; }
  size_t size() const { return used_; }

 private:
  uint8_t* Take(size_t count) {
    if (!ok_ || count > bytes_.size() - used_) {
      ok_ = false;
      return nullptr;
    }
    uint8_t* at = bytes_.data() + used_;
    used_ += count;
    return at;
  }

  template <typename T>
  void Integer(T value) {
    uint8_t* to = Take(sizeof(T));
    if (to == nullptr) return;
    for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
  }

  absl::Span<uint8_t> bytes_;
  size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_BYTES_H_
