#include "tool/fetch/request_body.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/pool/transfer_limits.h"
#include "tool/fetch/whole_file.h"

namespace sockgate {
namespace {

absl::StatusOr<std::string> ReadPart(const BodyPart& part) {
  if (part.kind == BodyPart::Kind::kText || !absl::StartsWith(part.text, "@")) return part.text;
  auto text = ReadWholeFile(part.text.substr(1), kMaxRequestBodyBytes);
  if (!text.ok() || part.kind == BodyPart::Kind::kBinary) return text;
  const auto left_out = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  text->erase(std::remove_if(text->begin(), text->end(), left_out), text->end());
  return text;
}

// RFC 9110, 5.6.2.
bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("!#$%&'*+-.^_`|~").find(c) != absl::string_view::npos;
  });
}

absl::StatusOr<std::string> ReadHeader(absl::string_view text) {
  const size_t end = text.find_first_of(":;");
  if (end == absl::string_view::npos || !IsToken(text.substr(0, end)) ||
      text.find_first_of(absl::string_view("\r\n\0", 3)) != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "-H '", text, "' is no header: write 'Name: value', or 'Name:' to leave one out"));
  }
  return std::string(text);
}

absl::Status AddFromFile(const std::string& file, std::vector<std::string>* headers) {
  const auto text = ReadWholeFile(file, kMaxRequestHeaderBytes);
  if (!text.ok()) return text.status();
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    if (line.empty()) continue;
    auto header = ReadHeader(line);
    if (!header.ok()) return header.status();
    headers->push_back(*std::move(header));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadRequestBody(const std::vector<BodyPart>& parts) {
  std::string body;
  for (size_t i = 0; i < parts.size(); ++i) {
    auto part = ReadPart(parts[i]);
    if (!part.ok()) return part.status();
    absl::StrAppend(&body, i == 0 ? "" : "&", *part);
    if (body.size() > kMaxRequestBodyBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("-d: a body has at most ", kMaxRequestBodyBytes, " bytes"));
    }
  }
  return body;
}

absl::StatusOr<std::vector<std::string>> ReadRequestHeaders(const std::vector<std::string>& texts) {
  std::vector<std::string> headers;
  for (const std::string& text : texts) {
    if (absl::StartsWith(text, "@")) {
      absl::Status status = AddFromFile(text.substr(1), &headers);
      if (!status.ok()) return status;
      continue;
    }
    auto header = ReadHeader(text);
    if (!header.ok()) return header.status();
    headers.push_back(*std::move(header));
  }
  return headers;
}

bool IsMethod(const std::string& text) { return IsToken(text); }

}  // namespace sockgate
