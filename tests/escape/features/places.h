// Places: where a feature finds what it needs. Plain values, filled before the worker is confined.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_PLACES_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_PLACES_H_

#include <memory>
#include <string>

#include "client/launch/trust_store.h"

namespace sockgate::escape {

struct Places {
  // "scheme://127.0.0.1:port", without a path.
  std::string http;
  std::string named_http;  // the same by a name that the broker knows
  std::string https;
  std::string http2;
  std::string ftp;
  std::string tunnel;  // an HTTP and SOCKS proxy, without a scheme
  std::string echo;    // a WebSocket server, as http://

  // All that the system trusts, and the servers' own certificates: as text, and parsed.
  std::string trust_pem;
  std::shared_ptr<const launch::TrustStore> trust;
};

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_PLACES_H_
