// ReadProxyUrl: the --proxy option.
//
// Process: the launcher. Pure. Trusted input: the command line.

#ifndef SOCKGATE_TOOL_PROXY_URL_H_
#define SOCKGATE_TOOL_PROXY_URL_H_

#include <string>

#include "absl/status/statusor.h"

namespace sockgate {

// The URL with scheme and port of "proxy.example:3128", "http://user:secret@proxy.example:3128" or
// "socks5h://[2001:db8::1]". As with curl, without a scheme it is http, and without a port 1080
// (https: 443). InvalidArgument also for socks4 and socks5: with those the worker would look up the
// hosts behind the proxy, for which nothing but the proxy itself has to be allowed.
absl::StatusOr<std::string> ReadProxyUrl(const std::string& text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_PROXY_URL_H_
