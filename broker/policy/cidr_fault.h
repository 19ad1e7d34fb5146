// CidrFault: why a text is no range of addresses, and what was probably meant.
//
// Process: broker, when it loads a policy, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_CIDR_FAULT_H_
#define SOCKGATE_BROKER_POLICY_CIDR_FAULT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

struct CidrFault {
  std::string what;    // "has bits set beyond its prefix", to be said of the text
  std::string advice;  // "write \"10.0.0.0/8\""
};

// Of a text that Cidr::Parse() does not take.
CidrFault FindCidrFault(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_CIDR_FAULT_H_
