#include "broker/policy/role.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace sockgate {

bool IsRoleName(absl::string_view text) {
  constexpr size_t kMostBytes = 64;
  return !text.empty() && text.size() <= kMostBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-';
         });
}

}  // namespace sockgate
