// UrlFault: why a URL cannot be fetched, as far as that can be told from the URL.
//
// Process: the launcher. Pure.
// Hostile input: the URL, read by libcurl's own parser, as the worker's libcurl will read it.

#ifndef SOCKGATE_TOOL_FETCH_URL_FAULT_H_
#define SOCKGATE_TOOL_FETCH_URL_FAULT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

struct UrlFault {
  int code = 0;      // curl's exit status; 0: there is none
  std::string text;  // without the URL
};

// `protocols` is a list as libcurl has it: "http,https".
UrlFault FindUrlFault(const std::string& url, absl::string_view protocols);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_URL_FAULT_H_
