// Target: what a person points at on the command line: a URL, HOST:PORT, ADDRESS:PORT, or the path
// of a UNIX socket.
//
// Process: the command, unconfined. Trusted input: the command line; yet a person pastes what a
// stranger wrote, so a host goes through the same parser as in a policy.

#ifndef SOCKGATE_TOOL_TARGET_H_
#define SOCKGATE_TOOL_TARGET_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/host_name.h"
#include "broker/policy/rule.h"
#include "proto/ip_address.h"

namespace sockgate {

// The host, as it is written, and the port of a URL, read by libcurl's own parser: what it takes
// out of the URL is what it will ask for. Without a port: the scheme's.
struct UrlParts {
  std::string host;
  uint16_t port = 0;

  static absl::StatusOr<UrlParts> Parse(const std::string& url);
};

struct Target {
  std::variant<HostName, IpAddress, UnixPath> place;
  uint16_t port = 0;  // means nothing for a path

  // The error says what to write.
  static absl::StatusOr<Target> Parse(const std::string& text);

  // "www.example.com:443", "[2001:db8::1]:443", "unix:/run/x".
  std::string ToString() const;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_TARGET_H_
