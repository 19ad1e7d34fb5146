#include "tool/fetch/retry_rule.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

bool IsTransientHttp(long status) {
  switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

// Of a transfer that came to nothing before a server answered.
bool MayConnectLater(const AttemptEnd& end) {
  switch (end.error.kind) {
    case Kind::kLimited:
      return true;
    case Kind::kLookup:
      return end.error.error_number == EAGAIN;  // no name server answered
    case Kind::kNetwork:
      return end.error.error_number == ETIMEDOUT;
    default:
      return false;
  }
}

}  // namespace

AttemptEnd AttemptEnd::Of(const TransferResult& result, int64_t now) {
  AttemptEnd end;
  end.code = static_cast<CURLcode>(result.code);
  end.response_code = result.status;
  end.is_ftp = absl::StartsWithIgnoreCase(result.effective_url, "ftp");
  end.retry_after = ReadRetryAfter(result.head.headers, now);
  end.error = result.error;
  return end;
}

bool RetryRule::IsTransient(const AttemptEnd& end) {
  if (end.code == CURLE_OPERATION_TIMEDOUT || end.code == CURLE_FTP_ACCEPT_TIMEOUT) return true;
  if (end.code == CURLE_COULDNT_CONNECT || end.code == CURLE_COULDNT_RESOLVE_HOST ||
      end.code == CURLE_COULDNT_RESOLVE_PROXY) {
    return MayConnectLater(end);
  }
  if (end.is_ftp) return end.code != CURLE_OK && end.response_code / 100 == 4;
  return (end.code == CURLE_OK || end.code == CURLE_HTTP_RETURNED_ERROR) &&
         IsTransientHttp(end.response_code);
}

std::optional<RetryRule::Milliseconds> RetryRule::Next(const AttemptEnd& end, unsigned retries_made,
                                                       Milliseconds since) const {
  if (retries_made >= options_.retries || !IsTransient(end)) return std::nullopt;
  const Milliseconds pause = PauseAfter(end, retries_made);
  if (pause > kLongestWait) return std::nullopt;
  if (options_.max_time.count() != 0 && since + pause >= options_.max_time) return std::nullopt;
  return pause;
}

RetryRule::Milliseconds RetryRule::PauseAfter(const AttemptEnd& end, unsigned retries_made) const {
  // A wish for longer than that ends it, whatever its number of seconds is.
  if (end.retry_after > kLongestWait) return kLongestWait + Milliseconds(1);
  if (end.retry_after.count() > 0) return end.retry_after;
  if (end.error.kind == Kind::kLimited && end.error.retry_after_ms != 0) {
    return Milliseconds(end.error.retry_after_ms);
  }
  if (options_.delay.count() != 0) return options_.delay;
  const unsigned doublings = std::min(retries_made, 10U);
  return std::min(kFirstPause * (1U << doublings), kLongestPause);
}

// RFC 9110, 10.2.3. The last such header, as libcurl has it.
std::chrono::seconds ReadRetryAfter(absl::string_view headers, int64_t now) {
  constexpr absl::string_view kName = "retry-after:";
  int64_t wait = 0;
  for (const absl::string_view line : absl::StrSplit(headers, '\n')) {
    if (!absl::StartsWithIgnoreCase(line, kName)) continue;
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(kName.size()));
    if (absl::SimpleAtoi(value, &wait)) continue;
    // A number beyond all numbers is a long time, and no date.
    if (!value.empty() && std::all_of(value.begin(), value.end(), absl::ascii_isdigit)) {
      wait = INT32_MAX;
      continue;
    }
    const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
    wait = date < 0 ? 0 : static_cast<int64_t>(date) - now;
  }
  return std::chrono::seconds(std::clamp<int64_t>(wait, 0, INT32_MAX));
}

}  // namespace sockgate
