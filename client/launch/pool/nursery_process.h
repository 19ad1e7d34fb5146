// NurseryProcess: the nursery's child: starts workers as it is told, and tells how they end.
//
// Process: the nursery, unconfined, with nothing open but the standard streams, its socket and what
// WorkerOptions keeps.
// Ownership: owns the socket and the workers. The options are lent.
// Threads: the only one. Run() blocks until the launcher closes its end; then the workers are ended
// and reaped.
// Hostile inputs: none.
// Failure: what fails is told to the launcher.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PROCESS_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PROCESS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/launch/pool/nursery_options.h"
#include "client/launch/pool/nursery_packets.h"
#include "client/launch/trust_store.h"
#include "client/launch/worker.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class NurseryProcess {
 public:
  NurseryProcess(UniqueFd socket, const NurseryOptions& options)
      : socket_(std::move(socket)), options_(options) {}

  void Run();

 private:
  absl::Status LoadTrust();
  void WaitForNews();
  bool TakeOrder();
  void Begin(uint32_t number, UniqueFd stream);
  absl::StatusOr<Worker> StartWorker(UniqueFd stream);
  void TellEnd(uint32_t number, Worker& worker);
  bool Tell(NurseryNews::Kind kind, uint32_t worker, absl::string_view text = "",
            ExitStatus status = {});

  const UniqueFd socket_;
  const NurseryOptions& options_;
  std::unique_ptr<TrustStore> trust_;
  std::map<uint32_t, Worker> workers_;
  UniqueFd channel_;  // of the worker that is to begin next
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PROCESS_H_
