// HostIndex: the rules on host names, so that those that cover a name are found by one look for
// each of its labels at most, however many rules there are.
//
// Process: broker, and the tools that read policies. Immutable once made; looking up never
// allocates.

#ifndef SOCKGATE_BROKER_POLICY_HOST_INDEX_H_
#define SOCKGATE_BROKER_POLICY_HOST_INDEX_H_

#include <bitset>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "broker/policy/host_name.h"
#include "broker/policy/place_book.h"
#include "broker/policy/rule.h"

namespace sockgate {

class HostIndex {
 public:
  HostIndex(const std::vector<Rule>& rules, PlaceBook* places);

  // Calls visit(Place) for each name that `name` is below, and last for the name itself, as far as
  // there are rules on them.
  template <typename Visit>
  void ForEach(const HostName& name, Visit visit) const {
    const absl::string_view text = name.text();
    size_t labels = 1;
    for (size_t i = text.size(); i-- > 0;) {
      if (text[i] != '.') continue;
      if (const Places* places = Find(text.substr(i + 1), labels)) visit(places->below);
      ++labels;
    }
    if (const Places* places = Find(text, labels)) visit(places->itself);
  }

 private:
  struct Places {
    Place itself;
    Place below;
  };

  // A name of 253 bytes has 127 labels at most.
  using LabelCounts = std::bitset<128>;

  const Places* Find(absl::string_view name, size_t labels) const {
    if (!label_counts_[labels]) return nullptr;
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &found->second;
  }

  absl::flat_hash_map<std::string, Places> places_;
  // How many labels the names in the index have: no other name needs a look.
  LabelCounts label_counts_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_HOST_INDEX_H_
