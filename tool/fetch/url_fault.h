// UrlFault: why a URL cannot be fetched at all, which is known before anybody is asked. It fails
// alone, with curl's exit status, as if it had been tried.
//
// Process: the launcher. Pure. Hostile input: the URL, parsed by libcurl.

#ifndef SOCKGATE_TOOL_FETCH_URL_FAULT_H_
#define SOCKGATE_TOOL_FETCH_URL_FAULT_H_

#include <curl/curl.h>

#include <string>

namespace sockgate {

// The schemes that are spoken, with commas between them.
inline constexpr char kSchemes[] = "http,https,ftp,ftps";

struct UrlFault {
  CURLcode code = CURLE_OK;
  std::string text;  // one line for a person, without the URL, which may have a password

  bool ok() const { return code == CURLE_OK; }

  static UrlFault Of(const std::string& url);
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_URL_FAULT_H_
