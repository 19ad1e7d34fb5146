#include "tool/fetch/url_list.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/pool/transfer_limits.h"
#include "tool/fetch/whole_file.h"

namespace sockgate {
namespace {

constexpr size_t kMaxListBytes = 64 << 20;

}  // namespace

absl::StatusOr<std::vector<ListedUrl>> ParseUrlList(absl::string_view text,
                                                    absl::string_view name) {
  std::vector<ListedUrl> urls;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    if (urls.size() == kMaxUrls) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":", number, ": a list has at most a million URLs"));
    }
    // One byte more than may be, by which it is known.
    urls.push_back({std::string(line.substr(0, kMaxUrlBytes + 1)), number});
  }
  return urls;
}

absl::StatusOr<std::vector<ListedUrl>> ReadUrlList(const std::string& file) {
  const auto text = ReadWholeFile(file, kMaxListBytes);
  if (!text.ok()) return text.status();
  return ParseUrlList(*text, ListName(file));
}

std::string ListName(const std::string& file) { return file == "-" ? "standard input" : file; }

}  // namespace sockgate
