// UrlList: the URLs that --input-file names, one a line.
//
// Process: the launcher. Blocking: as reading the file or standard input does.
// Hostile input: the list, which a stranger may have written: it is bounded, and a line is a URL
// and nothing else. No option can be in it. One that is no URL is its own failure, not the list's.

#ifndef SOCKGATE_TOOL_FETCH_URL_LIST_H_
#define SOCKGATE_TOOL_FETCH_URL_LIST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sockgate {

inline constexpr size_t kMaxUrls = 1'000'000;

struct ListedUrl {
  std::string url;  // cut, where it is too long to be one
  size_t line = 0;
};

// Lines that are empty or begin with '#' are left out, and so is white space around a URL. `name`
// is for messages.
absl::StatusOr<std::vector<ListedUrl>> ParseUrlList(absl::string_view text, absl::string_view name);

// "-": standard input.
absl::StatusOr<std::vector<ListedUrl>> ReadUrlList(const std::string& file);

// As messages call it.
std::string ListName(const std::string& file);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_URL_LIST_H_
