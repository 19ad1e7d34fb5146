#include "tool/fetch/url_list.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/pool/transfer_limits.h"
#include "tool/fetch/whole_file.h"
#include "tool/target.h"

namespace sockgate {
namespace {

constexpr size_t kMaxListBytes = 64 << 20;

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseUrlList(absl::string_view text,
                                                      absl::string_view name) {
  std::vector<std::string> urls;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const auto bad = [&](absl::string_view why) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", why));
    };
    if (line.size() > kMaxUrlBytes)
      return bad(absl::StrCat("a URL has at most ", kMaxUrlBytes, " bytes"));
    if (urls.size() == kMaxUrls) return bad("a list has at most a million URLs");
    urls.emplace_back(line);
    if (const auto parts = UrlParts::Parse(urls.back()); !parts.ok()) {
      return bad(parts.status().message());
    }
  }
  return urls;
}

absl::StatusOr<std::vector<std::string>> ReadUrlList(const std::string& file) {
  const auto text = ReadWholeFile(file, kMaxListBytes);
  if (!text.ok()) return text.status();
  return ParseUrlList(*text, file == "-" ? "standard input" : file);
}

}  // namespace sockgate
