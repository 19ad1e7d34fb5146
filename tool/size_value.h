// SizeValue: makes bytes of an option's value: "100", "100k", "5M", "1G", as curl does.
//
// CLI::AsSizeValue takes "-2" for a large number.

#ifndef SOCKGATE_TOOL_SIZE_VALUE_H_
#define SOCKGATE_TOOL_SIZE_VALUE_H_

#include <cstdint>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sockgate {

class SizeValue : public CLI::Validator {
 public:
  SizeValue() {
    func_ = [](std::string& text) -> std::string {
      const size_t end = text.find_first_not_of("0123456789");
      uint64_t size = 0;
      unsigned shift = 0;
      bool good = absl::SimpleAtoi(text.substr(0, end), &size);
      if (end != std::string::npos) {
        static const std::string kUnits = "kmg";
        const size_t unit = kUnits.find(absl::ascii_tolower(static_cast<unsigned char>(text[end])));
        good = good && unit != std::string::npos && end + 1 == text.size();
        shift = static_cast<unsigned>(unit + 1) * 10;
      }
      if (!good || size > UINT64_MAX >> shift) {
        return absl::StrCat("'", text, "' is no number of bytes, such as 5000, 100k, 5M or 1G");
      }
      text = absl::StrCat(size << shift);
      return "";
    };
  }
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SIZE_VALUE_H_
