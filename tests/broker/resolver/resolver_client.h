// ResolverClient: a keeper with its resolver, and what the broker does with them, in one thread and
// waiting.

#ifndef SOCKGATE_TESTS_BROKER_RESOLVER_RESOLVER_CLIENT_H_
#define SOCKGATE_TESTS_BROKER_RESOLVER_RESOLVER_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/resolver/resolver_keeper.h"
#include "broker/resolver/resolver_messages.h"
#include "broker/resolver/resolver_options.h"
#include "broker/resolver/socket_server.h"

namespace sockgate::testing {

// Options that read no file of the machine: this server on 127.0.0.1, 200 ms, two tries.
ResolverOptions OptionsFor(uint16_t port);

class ResolverClient {
 public:
  // Must be made before the process has other threads.
  explicit ResolverClient(const ResolverOptions& options);

  ResolverKeeper& keeper() { return keeper_; }
  // Of the resolver whose channels are in use; 0 when it cannot be found.
  pid_t resolver_pid() const;

  // Waits until there is a resolver. False after 10 s.
  bool AwaitResolver();
  // Whether a resolver is held whose channels are open, after serving what waits.
  bool Serve(std::chrono::milliseconds wait);

  void Ask(uint32_t id, const std::string& name);
  // The next answer to come, in at most 10 s; nothing when the resolver ends instead.
  std::optional<ResolverAnswer> AwaitAnswer();
  // Ask() and AwaitAnswer().
  std::optional<ResolverAnswer> Resolve(const std::string& name);

  const std::vector<Endpoint>& servers() const { return server_->servers(); }

 private:
  void DropResolver();
  bool TakeAnswer();

  ResolverKeeper keeper_;
  UniqueFd questions_;
  std::unique_ptr<SocketServer> server_;
  std::vector<ResolverAnswer> answers_;
  uint32_t last_id_ = 1'000'000;
};

// "192.0.2.1 2001:db8::1", in the order of the message.
std::string AddressesOf(const ResolverAnswer& answer);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_RESOLVER_RESOLVER_CLIENT_H_
