// NearestWord: what somebody who mistyped a word may have meant.

#ifndef SOCKGATE_BROKER_POLICY_NEAREST_WORD_H_
#define SOCKGATE_BROKER_POLICY_NEAREST_WORD_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate {

// The candidate that the fewest edits turn into `word`; empty when none is near.
absl::string_view NearestWord(absl::string_view word,
                              const std::vector<absl::string_view>& candidates);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_NEAREST_WORD_H_
