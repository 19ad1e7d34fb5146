#include "client/armed_client.h"
#include "client/broker_descriptors.h"
#include "client/name_shim.h"
#include "library/c_client.h"
#include "library/c_error.h"
#include "library/sockgate.h"

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_names_arm(sockgate_client* client, sockgate_error* error) {
  return Guarded(error, [&] {
    if (client == nullptr) return FailNull(error, "client");
    return Fail(error, ArmNameShim(client->client.get()));
  });
}

void sockgate_names_disarm() { DisarmNameShim(); }

int sockgate_names_expect_connect(int descriptor, const struct sockaddr* address, socklen_t length,
                                  int flags, sockgate_error* error) {
  return Guarded(error, [&] {
    if (address == nullptr) return FailNull(error, "address");
    if ((flags & ~(SOCKGATE_STARTED | SOCKGATE_TRACKED)) != 0 || descriptor < 0 ||
        length > sizeof(sockaddr_storage)) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT, "no such descriptor, address or flags");
    }
    if (!ArmedClient::armed()) {
      return Fail(error, SOCKGATE_BAD_STATE,
                  "nobody answers connect(2): sockgate_names_arm() first");
    }
    const auto answer =
        (flags & SOCKGATE_STARTED) != 0 ? ConnectAnswer::kInProgress : ConnectAnswer::kConnected;
    if (EnterBrokerDescriptor(descriptor, address, length, answer)) return int{SOCKGATE_OK};
    return Fail(error, SOCKGATE_TABLE_FULL, "no such descriptor can be remembered");
  });
}
