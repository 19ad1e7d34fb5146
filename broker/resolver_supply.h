// ResolverSupply: where the broker gets resolvers from.
//
// Process: broker, the loop's thread. Nothing here blocks.

#ifndef SOCKGATE_BROKER_RESOLVER_SUPPLY_H_
#define SOCKGATE_BROKER_RESOLVER_SUPPLY_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/resolver/resolver_keeper.h"
#include "broker/resolver/resolver_options.h"

namespace sockgate {

// The members mean what they mean in ResolverKeeper; a test may have a supply of its own.
class ResolverSupply {
 public:
  virtual ~ResolverSupply() = default;

  virtual int descriptor() const = 0;
  virtual absl::StatusOr<ResolverChannels> Take() = 0;
  virtual void Kill() = 0;
  virtual absl::Status Restart(const ResolverOptions& options) = 0;
};

class KeptResolvers final : public ResolverSupply {
 public:
  explicit KeptResolvers(ResolverKeeper keeper) : keeper_(std::move(keeper)) {}

  int descriptor() const override { return keeper_.descriptor(); }
  absl::StatusOr<ResolverChannels> Take() override { return keeper_.Take(); }
  void Kill() override { keeper_.Kill(); }
  absl::Status Restart(const ResolverOptions& options) override { return keeper_.Restart(options); }

 private:
  ResolverKeeper keeper_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_SUPPLY_H_
