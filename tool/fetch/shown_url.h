// ShownUrl: a URL as it may stand in a message, which ends up in logs: without user and password.
//
// Process: the launcher. Pure. Hostile input: the URL, parsed by libcurl.

#ifndef SOCKGATE_TOOL_FETCH_SHOWN_URL_H_
#define SOCKGATE_TOOL_FETCH_SHOWN_URL_H_

#include <string>

namespace sockgate {

// One that has neither, or is none, as it stands.
std::string ShownUrl(const std::string& url);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_SHOWN_URL_H_
