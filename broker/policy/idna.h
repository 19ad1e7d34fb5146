// IDNA: international host names, as people write them and the DNS does not.
//
// Process: broker, when it loads a policy, and the tools; never for what a worker sent, who must
// send A-labels: libidn2 is not fed hostile bytes there.

#ifndef SOCKGATE_BROKER_POLICY_IDNA_H_
#define SOCKGATE_BROKER_POLICY_IDNA_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/host_name.h"
#include "broker/policy/host_pattern.h"

namespace sockgate {

// UTF-8 to A-labels: IDNA2008 with the non-transitional mapping of UTS 46, as browsers and libcurl
// do it, emoji included. Full-width digits and dots become ASCII ones, so what they spell is seen
// afterwards; ASCII labels stay as they are, but one that begins with xn-- must be a valid A-label.
absl::StatusOr<std::string> ToALabels(absl::string_view utf8);

// ParseHost() and HostPattern::Parse() of what the text is in A-labels.
absl::StatusOr<Host> ParseInternationalHost(absl::string_view utf8);
absl::StatusOr<HostPattern> ParseInternationalPattern(absl::string_view utf8);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_IDNA_H_
