// Trace: how a decision came about, for `sockgate explain`. The same code decides with and without.

#ifndef SOCKGATE_BROKER_POLICY_TRACE_H_
#define SOCKGATE_BROKER_POLICY_TRACE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "broker/policy/rule.h"
#include "broker/policy/special_ranges.h"
#include "proto/ip_address.h"

namespace sockgate {

// What `kind` does not speak of is null, 0 or empty. All is lent for the length of the call.
struct Step {
  enum class Kind : uint8_t {
    kAddress,      // `address` is judged
    kEmbedded,     // ... and so is `address`, which it stands for as `text` (EmbeddedV4::form)
    kName,         // `text` is judged
    kPath,         // `text` is judged
    kSpecial,      // `address` is in `special`: only a rule within it counts
    kUnspecified,  // `address` means loopback to the kernel
    kOwn,          // `address`, or the path `text`, is the broker's own
    kDenies,       // `rule` denies
    kAllows,       // `rule` allows
    kTooWide,      // `rule` covers `address` but does not name `special`
    kNotPrivate,   // `rule` covers the name but does not say private
    kOtherPort,    // `rule` covers the place but not the port, or not the transport
    kNoRule,       // no rule allows it, so it is denied
    kReport,       // the role is in report mode, so it is let through
  };

  Kind kind;
  const IpAddress* address = nullptr;
  const SpecialRange* special = nullptr;
  const Rule* rule = nullptr;
  uint32_t number = 0;  // of `rule`
  absl::string_view text = {};
};

class Trace {
 public:
  virtual void OnStep(const Step& step) = 0;

 protected:
  ~Trace() = default;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_TRACE_H_
