#include "client/pool/transfer_process.h"

#include <curl/curl.h>
#include <signal.h>
#include <time.h>

#include <clocale>
#include <utility>

#include "client/name_shim.h"

namespace sockgate {

absl::StatusOr<std::unique_ptr<BrokerClient>> PrepareTransferProcess(UniqueFd channel) {
  auto client = BrokerClient::FromDescriptor(std::move(channel));
  if (!client.ok()) return client.status();
  if (absl::Status status = ArmNameShim(client->get()); !status.ok()) return status;
  signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is a write error
  tzset();
  setlocale(LC_CTYPE, "");  // by which libcurl reads an international name
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return absl::InternalError("libcurl could not be initialised");
  }
  return client;
}

}  // namespace sockgate
