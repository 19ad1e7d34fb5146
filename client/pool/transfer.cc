#include "client/pool/transfer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/pool/transfer_limits.h"

namespace sockgate {
namespace {

bool HasLineBreak(absl::string_view text) {
  return text.find_first_of(absl::string_view("\r\n\0", 3)) != absl::string_view::npos;
}

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status TooLong(absl::string_view what, size_t most) {
  return Bad(absl::StrCat(what, " has more than ", most, " bytes"));
}

// RFC 9110, 5.6.2: what may be written as a method.
bool IsToken(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7f' &&
           absl::string_view("\"(),/:;<=>?@[\\]{}").find(c) == absl::string_view::npos;
  });
}

absl::Status CheckHeaders(const std::vector<std::string>& headers) {
  if (headers.size() > kMaxRequestHeaders) {
    return Bad(absl::StrCat("there are more than ", kMaxRequestHeaders, " headers"));
  }
  size_t bytes = 0;
  for (const std::string& header : headers) {
    if (header.empty() || HasLineBreak(header)) {
      return Bad("a header is empty, or has a line break or a NUL in it");
    }
    bytes += header.size();
  }
  return bytes <= kMaxRequestHeaderBytes ? absl::OkStatus()
                                         : TooLong("all headers together", kMaxRequestHeaderBytes);
}

}  // namespace

absl::Status Transfer::Check() const {
  if (url.empty()) return Bad("there is no URL");
  for (const std::string* text : {&url, &proxy, &protocols, &redirect_protocols}) {
    if (HasLineBreak(*text)) return Bad("a URL or a protocol has a line break or a NUL in it");
    if (text->size() > kMaxUrlBytes) return TooLong("a URL", kMaxUrlBytes);
  }
  if (method.size() > kMaxMethodBytes) return TooLong("the method", kMaxMethodBytes);
  if (!IsToken(method)) return Bad("the method is not one word");
  if (max_time.count() < 0 || connect_timeout.count() < 0) return Bad("a time is negative");
  if (max_time > kMaxTransferTime || connect_timeout > kMaxTransferTime) {
    return Bad("a time is longer than a week");
  }
  if (body.size() > kMaxRequestBodyBytes) return TooLong("the body", kMaxRequestBodyBytes);
  return CheckHeaders(headers);
}

std::string Transfer::Method() const {
  if (!method.empty()) return method;
  return body.empty() ? "GET" : "POST";
}

bool Transfer::IsIdempotent() const {
  static constexpr absl::string_view kIdempotent[] = {"GET", "HEAD",   "OPTIONS",
                                                      "PUT", "DELETE", "TRACE"};
  const std::string mine = Method();
  return std::any_of(std::begin(kIdempotent), std::end(kIdempotent),
                     [&](absl::string_view other) { return mine == other; });
}

absl::string_view FateName(Fate fate) {
  switch (fate) {
    case Fate::kEnded:
      return "ended";
    case Fate::kCancelled:
      return "cancelled";
    case Fate::kCrashed:
      return "crashed";
    case Fate::kHung:
      return "hung";
    case Fate::kMisbehaved:
      return "misbehaved";
    case Fate::kInterrupted:
      return "interrupted";
    case Fate::kNoWorker:
      return "no-worker";
  }
  return "?";
}

absl::string_view VerdictName(BrokerVerdict verdict) {
  switch (verdict) {
    case BrokerVerdict::kNotAsked:
      return "not-asked";
    case BrokerVerdict::kAllowed:
      return "allowed";
    case BrokerVerdict::kDenied:
      return "denied";
    case BrokerVerdict::kLimited:
      return "limited";
    case BrokerVerdict::kFailed:
      return "failed";
  }
  return "?";
}

}  // namespace sockgate
