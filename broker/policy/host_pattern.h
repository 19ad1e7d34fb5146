// HostPattern: the names that a rule covers: one, or all below one.
//
// Process: broker, when it loads a policy, and the tools. A value type; pure.

#ifndef SOCKGATE_BROKER_POLICY_HOST_PATTERN_H_
#define SOCKGATE_BROKER_POLICY_HOST_PATTERN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/host_name.h"

namespace sockgate {

class HostPattern {
 public:
  // "example.com" covers that name alone; "*.example.com" covers every name with one or more labels
  // more, and not example.com itself. ASCII only; idna.h takes international names. The error says
  // what is wrong and what to write: "*" alone, a star elsewhere, an address in any spelling, a
  // name that cannot exist.
  static absl::StatusOr<HostPattern> Parse(absl::string_view text);

  bool Matches(const HostName& name) const;

  // The name, or the one that all of them end in. Canonical.
  const HostName& name() const { return name_; }
  bool covers_subdomains() const { return subdomains_; }

  // Whether every name that `other` matches is matched by this one.
  bool Covers(const HostPattern& other) const;

  friend bool operator==(const HostPattern& a, const HostPattern& b) {
    return a.subdomains_ == b.subdomains_ && a.name_ == b.name_;
  }

  std::string ToString() const;

 private:
  HostPattern(const HostName& name, bool subdomains) : name_(name), subdomains_(subdomains) {}

  HostName name_;
  bool subdomains_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_HOST_PATTERN_H_
