#include "broker/resolver/search_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "proto/limits.h"

namespace sockgate {

std::vector<std::string> SearchCandidates(const std::string& name,
                                          const std::vector<std::string>& domains, uint32_t ndots) {
  if (name == "onion" || absl::EndsWith(name, ".onion")) return {name};
  std::vector<std::string> candidates;
  for (const std::string& given : domains) {
    const absl::string_view domain = absl::StripSuffix(given, ".");
    if (domain.empty()) continue;  // the root: the name itself
    std::string candidate = absl::StrCat(name, ".", domain);
    if (candidate.size() <= kMaxNameBytes) candidates.push_back(std::move(candidate));
  }
  const bool has_dots = std::count(name.begin(), name.end(), '.') >= static_cast<int64_t>(ndots);
  candidates.insert(has_dots ? candidates.begin() : candidates.end(), name);
  return candidates;
}

}  // namespace sockgate
