// NameSource: who answers the broker's questions about names: a resolver, or a test.
//
// Process: broker, the loop's thread. Nothing here blocks.

#ifndef SOCKGATE_BROKER_NAME_SOURCE_H_
#define SOCKGATE_BROKER_NAME_SOURCE_H_

#include <cstdint>

#include "broker/policy/host_name.h"
#include "broker/resolver/resolver_messages.h"

namespace sockgate {

class NameListener {
 public:
  // What the answer says is hostile; its id is one that was asked. Never called within a call of
  // the source's own.
  virtual void OnAnswer(const ResolverAnswer& answer) = 0;

 protected:
  ~NameListener() = default;
};

class NameSource {
 public:
  // Lent; null: nobody listens.
  virtual void SetListener(NameListener* listener) = 0;

  // Each question has one answer in the end, unless it is given up. `id` is not 0, and no other
  // question has it.
  virtual void Ask(uint32_t id, const HostName& name) = 0;

  // Nobody waits for the answer any more: it has been too long.
  virtual void GiveUp(uint32_t id) = 0;

  // Nobody wants the answer any more, which is not the source's fault.
  virtual void Forget(uint32_t id) = 0;

 protected:
  ~NameSource() = default;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_NAME_SOURCE_H_
