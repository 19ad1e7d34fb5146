// UrlList: the URLs that --input-file names, one a line.
//
// Process: the launcher. Blocking: as reading the file or standard input does.
// Hostile input: the list, which a stranger may have written: it is bounded, and a line is a URL, or
// none (url_fault.h), and nothing else. No option can be in it.

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
  std::string url;
  size_t line = 0;  // from 1 on
};

// Lines that are empty or begin with '#' are left out, and so is white space around a URL.
absl::StatusOr<std::vector<ListedUrl>> ParseUrlList(absl::string_view text);

// "-": standard input.
absl::StatusOr<std::vector<ListedUrl>> ReadUrlList(const std::string& file);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_URL_LIST_H_
