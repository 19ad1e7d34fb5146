#include "tool/fetch/url_list.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "tool/fetch/whole_file.h"

namespace sockgate {
namespace {

constexpr size_t kMaxListBytes = 64 << 20;

}  // namespace

absl::StatusOr<std::vector<ListedUrl>> ParseUrlList(absl::string_view text) {
  std::vector<ListedUrl> urls;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    if (urls.size() == kMaxUrls) {
      return absl::InvalidArgumentError("a list has at most a million URLs");
    }
    urls.push_back({std::string(line), number});
  }
  return urls;
}

absl::StatusOr<std::vector<ListedUrl>> ReadUrlList(const std::string& file) {
  const auto text = ReadWholeFile(file, kMaxListBytes);
  if (!text.ok()) return text.status();
  return ParseUrlList(*text);
}

}  // namespace sockgate
