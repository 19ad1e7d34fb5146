#include "tool/fetch/output_name.h"

#include <curl/curl.h>
#include <limits.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tool/fetch/terminal_text.h"

namespace sockgate {
namespace {

// What is left of NAME_MAX when it is hidden, while it is written, or has a number.
constexpr size_t kMost = NAME_MAX - sizeof("..XXXXXX");

// By libcurl's own parser, which has taken "." and ".." out.
absl::StatusOr<std::string> PathOf(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  char* path = nullptr;
  if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_PATH, &path, 0) != CURLUE_OK) {
    return absl::InvalidArgumentError(absl::StrCat("'", url, "' is no URL"));
  }
  const std::unique_ptr<char, decltype(&curl_free)> owner(path, curl_free);
  return std::string(path);
}

absl::string_view Fault(absl::string_view name) {
  if (name.empty()) return "has no file name at its end";
  if (name == "." || name == "..") return "ends in the name of a folder";
  if (name.size() > kMost) return "ends in a name that is too long";
  if (TerminalLine(name) != name) return "ends in a name with control characters";
  return "";
}

}  // namespace

absl::StatusOr<std::string> OutputName(const std::string& url) {
  auto path = PathOf(url);
  if (!path.ok()) return path.status();
  const std::string name = path->substr(path->rfind('/') + 1);
  const absl::string_view fault = Fault(name);
  if (fault.empty()) return name;
  return absl::InvalidArgumentError(absl::StrCat("-O: it ", fault, ": write -o FILE for it"));
}

}  // namespace sockgate
