#include "tests/support/http_request.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sockgate::testing {
namespace {

constexpr absl::string_view kEndOfHead = "\r\n\r\n";
constexpr size_t kMaxMethodBytes = 16;

bool IsTokenChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::StrContains("!#$%&'*+-.^_`|~", c);
}

bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

bool IsTarget(absl::string_view text) {
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  return absl::StartsWith(text, "/") && std::all_of(text.begin(), text.end(), printable);
}

bool IsFieldValue(absl::string_view text) {
  const auto legal = [](char c) {
    return c == '\t' || !absl::ascii_iscntrl(static_cast<unsigned char>(c));
  };
  return std::all_of(text.begin(), text.end(), legal);
}

bool HasListItem(absl::string_view list, absl::string_view item) {
  const std::vector<absl::string_view> items = absl::StrSplit(list, ',');
  return std::any_of(items.begin(), items.end(), [item](absl::string_view one) {
    return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(one), item);
  });
}

}  // namespace

HttpRequestParser::Outcome HttpRequestParser::Next(HttpRequest* request) {
  if (error_status_ != 0) return Outcome::kBad;
  if (!have_head_ && !FindHead()) return error_status_ != 0 ? Outcome::kBad : Outcome::kNeedMore;
  if (in_.size() < body_bytes_) return Outcome::kNeedMore;
  *request = std::exchange(request_, {});
  request->body = in_.substr(0, body_bytes_);
  in_.erase(0, body_bytes_);
  have_head_ = have_length_ = wants_continue_ = false;
  body_bytes_ = 0;
  return Outcome::kComplete;
}

bool HttpRequestParser::TakeContinue() { return std::exchange(wants_continue_, false); }

bool HttpRequestParser::FindHead() {
  const size_t end = in_.find(kEndOfHead.data(), scanned_, kEndOfHead.size());
  if (std::min(end, in_.size()) > kMaxHeadBytes) return Refuse(431);
  if (end == std::string::npos) {
    scanned_ = in_.size() - std::min(in_.size(), kEndOfHead.size() - 1);
    return false;
  }
  have_head_ = ParseHead(absl::string_view(in_).substr(0, end));
  if (!have_head_) return false;
  in_.erase(0, end + kEndOfHead.size());
  scanned_ = 0;
  return true;
}

bool HttpRequestParser::ParseHead(absl::string_view head) {
  bool first = true;
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    if (!(first ? ParseRequestLine(line) : ParseHeaderLine(line))) return false;
    first = false;
  }
  return true;
}

bool HttpRequestParser::ParseRequestLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 3 || !IsToken(words[0]) || words[0].size() > kMaxMethodBytes ||
      !IsTarget(words[1])) {
    return Refuse(400);
  }
  if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") {
    return Refuse(absl::StartsWith(words[2], "HTTP/") ? 505 : 400);
  }
  request_.method = std::string{words[0]};
  request_.target = std::string{words[1]};
  request_.keep_alive = words[2] == "HTTP/1.1";
  return true;
}

bool HttpRequestParser::ParseHeaderLine(absl::string_view line) {
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return Refuse(400);
  const absl::string_view name = line.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (!IsToken(name) || !IsFieldValue(value)) return Refuse(400);
  request_.headers.push_back({std::string{name}, std::string{value}});
  return ApplyHeader(request_.headers.back());
}

bool HttpRequestParser::ApplyHeader(const HttpHeader& header) {
  if (absl::EqualsIgnoreCase(header.name, "Content-Length")) {
    return ApplyContentLength(header.value);
  }
  if (absl::EqualsIgnoreCase(header.name, "Transfer-Encoding")) return Refuse(501);
  if (absl::EqualsIgnoreCase(header.name, "Expect")) {
    wants_continue_ = absl::EqualsIgnoreCase(header.value, "100-continue");
  }
  if (absl::EqualsIgnoreCase(header.name, "Connection")) {
    if (HasListItem(header.value, "keep-alive")) request_.keep_alive = true;
    if (HasListItem(header.value, "close")) request_.keep_alive = false;
  }
  return true;
}

bool HttpRequestParser::ApplyContentLength(absl::string_view value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  uint64_t length = 0;
  if (have_length_ || !std::all_of(value.begin(), value.end(), is_digit) ||
      !absl::SimpleAtoi(value, &length)) {
    return Refuse(400);
  }
  if (length > kMaxBodyBytes) return Refuse(413);
  have_length_ = true;
  body_bytes_ = length;
  return true;
}

bool HttpRequestParser::Refuse(int status) {
  error_status_ = status;
  return false;
}

}  // namespace sockgate::testing
