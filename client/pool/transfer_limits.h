// Every bound of a transfer and of what a pool's worker and its launcher say to each other.
//
// They bound what one side makes the other keep, not what is fetched: for that a Transfer has
// limits of its own.

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_LIMITS_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_LIMITS_H_

#include <chrono>
#include <cstddef>

namespace sockgate {

// Of a Transfer.
inline constexpr size_t kMaxUrlBytes = size_t{64} * 1024;
inline constexpr size_t kMaxMethodBytes = 64;
inline constexpr size_t kMaxRequestHeaders = 256;
inline constexpr size_t kMaxRequestHeaderBytes = size_t{64} * 1024;  // of all together
inline constexpr size_t kMaxRequestBodyBytes = size_t{16} * 1024 * 1024;

// Of its times: libcurl counts milliseconds in a long.
inline constexpr std::chrono::hours kMaxTransferTime{7 * 24};

// Of one response's head. A longer one ends its transfer.
inline constexpr size_t kMaxHeaderBytes = size_t{128} * 1024;

// Of one piece of a body: libcurl's CURL_MAX_WRITE_SIZE.
inline constexpr size_t kMaxPieceBytes = size_t{16} * 1024;

// Of pieces that a pool's worker has not been able to send yet. Its transfers pause beyond that.
inline constexpr size_t kMaxUnsentBytes = size_t{256} * 1024;

// Of texts in a result; longer ones are cut.
inline constexpr size_t kMaxResultTextBytes = size_t{4} * 1024;

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_LIMITS_H_
