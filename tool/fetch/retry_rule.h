// RetryRule: whether a transfer that has failed is tried again, and when. Says what curl says of
// --retry, --retry-delay and --retry-max-time, and that a denial is final.
//
// Process: the launcher. Pure: it reads no clock.
// Hostile input: what the server said, among it how long to wait; --retry-max-time bounds that, and
// without it kLongestWait.

#ifndef SOCKGATE_TOOL_FETCH_RETRY_RULE_H_
#define SOCKGATE_TOOL_FETCH_RETRY_RULE_H_

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "client/connect_error.h"
#include "client/pool/transfer.h"

namespace sockgate {

// How an attempt has ended.
struct AttemptEnd {
  // `now` in seconds since 1970.
  static AttemptEnd Of(const TransferResult& result, int64_t now);

  CURLcode code = CURLE_OK;
  long response_code = 0;  // HTTP's or FTP's; 0: there was none
  bool is_ftp = false;
  std::chrono::seconds retry_after{0};  // as the server wishes; 0: it does not say
  ConnectError error;                   // the broker's, of the last connect or lookup
};

class RetryRule {
 public:
  using Milliseconds = std::chrono::milliseconds;

  static constexpr Milliseconds kFirstPause{1000};
  static constexpr Milliseconds kLongestPause{600'000};
  // What a server's Retry-After is believed.
  static constexpr Milliseconds kLongestWait{3'600'000};

  struct Options {
    unsigned retries = 0;
    Milliseconds delay{0};     // 0: twice as long each time, from kFirstPause to kLongestPause
    Milliseconds max_time{0};  // from the beginning of the first attempt; 0: no limit
  };

  explicit RetryRule(const Options& options) : options_(options) {}

  // How long to wait before the next attempt, after `retries_made` of them, at a time when the
  // first attempt began `since` ago. Nothing: that was the last one.
  std::optional<Milliseconds> Next(const AttemptEnd& end, unsigned retries_made,
                                   Milliseconds since) const;

  // Whether the same might go well a little later.
  static bool IsTransient(const AttemptEnd& end);

 private:
  Milliseconds PauseAfter(const AttemptEnd& end, unsigned retries_made) const;

  const Options options_;
};

// Of the header Retry-After: seconds, or a date; 0 where there is none, or it is past. `now` in
// seconds since 1970.
std::chrono::seconds ReadRetryAfter(absl::string_view headers, int64_t now);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_RETRY_RULE_H_
