// SecondsRange: that an option's value is a number of seconds, in digits, from `least` to `most`.
//
// CLI::Range takes "nan" for a number in every range, and "1e3", "0x1p3" and " 5" for numbers too.

#ifndef SOCKGATE_TOOL_SECONDS_RANGE_H_
#define SOCKGATE_TOOL_SECONDS_RANGE_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sockgate {

class SecondsRange : public CLI::Validator {
 public:
  SecondsRange(double least, double most) {
    func_ = [least, most](const std::string& text) -> std::string {
      double seconds = 0;
      const bool digits = !text.empty() && text.find_first_not_of("0123456789.") == text.npos;
      if (digits && absl::SimpleAtod(text, &seconds) && seconds >= least && seconds <= most)
        return "";
      return absl::StrCat("'", text, "' is no number of seconds from ", least, " to ", most);
    };
  }
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SECONDS_RANGE_H_
