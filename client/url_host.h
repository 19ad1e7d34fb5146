// The host of a URL, and the addresses of a host as CURLOPT_RESOLVE takes them.
//
// Process: worker. Input: hostile URLs, parsed by libcurl itself, so that the host found here is
// the one that libcurl will look up.

#ifndef SOCKGATE_CLIENT_URL_HOST_H_
#define SOCKGATE_CLIENT_URL_HOST_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/endpoint.h"
#include "proto/ip_address.h"

namespace sockgate {

struct UrlHost {
  std::string name;  // in A-labels where this libcurl can make them (7.88)
  std::string port;
  bool is_literal = false;
};

// Nothing when libcurl would not take the URL, or when it has no host.
std::optional<UrlHost> HostOfUrl(const std::string& url);

// "+example.com:443:[2001:db8::1],192.0.2.1"; the plus sign lets the entry expire.
std::string ResolveEntry(const UrlHost& host, const std::vector<IpAddress>& addresses);

// Where a host is: a literal with its port, or of a name the port alone. Nothing where the port is
// none, or the literal is no address.
std::optional<Endpoint> EndpointOf(const UrlHost& host);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_URL_HOST_H_
