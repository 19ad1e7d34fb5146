#include <curl/curl.h>

#include <memory>
#include <utility>

#include "client/launch/trust_store.h"
#include "library/c_error.h"
#include "library/sockgate.h"

struct sockgate_trust {
  std::unique_ptr<sockgate::launch::TrustStore> store;
};

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_trust_load(const char* file, sockgate_trust** trust, sockgate_error* error) {
  return Guarded(error, [&] {
    if (trust == nullptr) return FailNull(error, "trust");
    auto store =
        file == nullptr ? launch::TrustStore::LoadSystem() : launch::TrustStore::Load(file);
    if (!store.ok()) return Fail(error, store.status());
    *trust = new sockgate_trust{*std::move(store)};
    return int{SOCKGATE_OK};
  });
}

int sockgate_trust_attach(const sockgate_trust* trust, void* easy, sockgate_error* error) {
  return Guarded(error, [&] {
    if (trust == nullptr) return FailNull(error, "trust");
    if (easy == nullptr) return FailNull(error, "easy");
    return Fail(error, trust->store->Attach(static_cast<CURL*>(easy)));
  });
}

void sockgate_trust_free(sockgate_trust* trust) { delete trust; }
