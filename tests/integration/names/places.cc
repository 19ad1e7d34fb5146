#include "tests/integration/names/places.h"

#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/support/tcp_socket.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {

std::string PublicAddress(int number) { return absl::StrCat("8.8.8.", number); }

void AddPlaces() {
  static const bool added = [] {
    bool ok = AddLocalAddress(kPublicV6).ok() && AddLocalAddress(kPrivate).ok();
    for (int i = 1; i <= kPublicAddresses; ++i) ok = AddLocalAddress(PublicAddress(i)).ok() && ok;
    return ok;
  }();
  SOCKGATE_CHECK(added);
}

LoopbackServer::Options ServerAt(const std::string& address, uint16_t port) {
  AddPlaces();
  LoopbackServer::Options options;
  options.address = address;
  options.port = port;
  return options;
}

Canary::Canary(const std::string& address, uint16_t port) {
  auto listener = ListenTcp(address, port, 16);
  SOCKGATE_CHECK(listener.ok());
  listener_ = *std::move(listener);
  port_ = *LocalPort(listener_.get());
}

bool Canary::touched() const {
  return UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid();
}

}  // namespace sockgate::testing
