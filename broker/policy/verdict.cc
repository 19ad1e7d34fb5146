#include "broker/policy/verdict.h"

namespace sockgate {

absl::string_view Word(Decision decision) {
  switch (decision) {
    case Decision::kAllow:
      return "allow";
    case Decision::kDeny:
      return "deny";
    case Decision::kWouldDeny:
      return "would-deny";
  }
  return "?";
}

}  // namespace sockgate
