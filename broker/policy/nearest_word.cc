#include "broker/policy/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/ascii.h"

namespace sockgate {
namespace {

// How many characters to insert, delete or replace; two neighbours that changed places are one
// edit. `before` and `last` are the two rows above the one that is made.
size_t EditDistance(absl::string_view from, absl::string_view to) {
  std::vector<size_t> before;
  std::vector<size_t> last(to.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    std::vector<size_t> row(to.size() + 1);
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const bool same = absl::ascii_tolower(from[i - 1]) == absl::ascii_tolower(to[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::move(last);
    last = std::move(row);
  }
  return last.back();
}

}  // namespace

absl::string_view NearestWord(absl::string_view word,
                              const std::vector<absl::string_view>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return {};
  absl::string_view nearest;
  // A third of the word may be wrong.
  size_t fewest = std::max<size_t>(word.size() / 3, 1) + 1;
  for (const absl::string_view candidate : candidates) {
    const size_t edits = EditDistance(word, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace sockgate
