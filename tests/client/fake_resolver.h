// FakeResolver: a broker in a thread that resolves names from a table and connects to loopback
// without asking anyone whether it may.
//
// Fill the table, then Start(). A process that forks does so before Start().

#ifndef SOCKGATE_TESTS_CLIENT_FAKE_RESOLVER_H_
#define SOCKGATE_TESTS_CLIENT_FAKE_RESOLVER_H_

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/messages.h"
#include "proto/packet_socket.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

// A resolve reply with these addresses.
ResolveReply Addresses(const std::vector<std::string>& literals);
ResolveReply Refusal(Outcome outcome, Reason reason, uint32_t rule = 0);
// Failed, with this errno.
ResolveReply Failure(int error);

class FakeResolver {
 public:
  FakeResolver();
  ~FakeResolver() { Stop(); }
  FakeResolver(const FakeResolver&) = delete;
  FakeResolver& operator=(const FakeResolver&) = delete;

  // Names that are not in the table do not exist. `reply`'s canonical name must outlive this.
  void Set(const std::string& name, const ResolveReply& reply) { table_[name] = reply; }
  void set_capabilities(uint32_t capabilities) { capabilities_ = capabilities; }

  // For the code under test.
  UniqueFd TakeWorkerEnd() { return std::move(worker_end_); }
  // The broker's ends are then this process's alone; call it after forking.
  void Start();
  void Stop();

  // What was asked for so far: "name any", "name v4", "name v6".
  std::vector<std::string> asked() const;

 private:
  void Serve();
  bool ServeOne(size_t index);
  ResolveReply Resolve(const ResolveRequest& request);

  std::map<std::string, ResolveReply> table_;
  uint32_t capabilities_ = kCapabilityResolve;
  std::vector<UniqueFd> ends_;
  UniqueFd worker_end_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_CLIENT_FAKE_RESOLVER_H_
