// The payloads of frames (frame.h) between a pool's launcher and its workers: transfers and results
// as bytes, and back.
//
// Process: both. Pure.
// Hostile inputs: what is decoded. A decoder takes all of a payload or nothing: lengths are bounded
// by transfer_limits.h, enumerators must be known, nothing may follow.
// Failure: a decoder returns the field that failed, and leaves what it filled meaningless.

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_CODEC_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_CODEC_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "client/pool/transfer.h"
#include "client/pool/transfer_limits.h"

namespace sockgate {

// No payload of these is longer: texts at their longest, and room for the numbers.
inline constexpr size_t kMaxTransferPayload = kMaxRequestBodyBytes + kMaxRequestHeaderBytes +
                                              4 * kMaxRequestHeaders + 4 * kMaxUrlBytes +
                                              kMaxMethodBytes + 256;
inline constexpr size_t kMaxHeadPayload = kMaxHeaderBytes + 8;
inline constexpr size_t kMaxResultPayload =
    kMaxUrlBytes + 3 * kMaxResultTextBytes + kMaxHeadPayload + 256;

// The transfer's Check() has been OK.
std::string EncodeTransfer(const Transfer& transfer);
std::string EncodeHead(const ResponseHead& head);
// But for id, attempts and signal, which the launcher knows.
std::string EncodeResult(const TransferResult& result);

// Null: decoded. Otherwise the name of the field.
const char* DecodeTransfer(absl::string_view payload, Transfer* transfer);
const char* DecodeHead(absl::string_view payload, ResponseHead* head);
const char* DecodeResult(absl::string_view payload, TransferResult* result);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_CODEC_H_
