// Findings: what was found in one policy file so far.
//
// Process: broker, when it loads a policy, and the tools. Lends the SourceText.

#ifndef SOCKGATE_BROKER_POLICY_FINDINGS_H_
#define SOCKGATE_BROKER_POLICY_FINDINGS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/finding.h"
#include "broker/policy/source_text.h"

namespace sockgate {

class Findings {
 public:
  explicit Findings(const SourceText* source) : source_(source) {}
  Findings(const Findings&) = delete;
  Findings& operator=(const Findings&) = delete;

  // `offset` is into the text.
  void Error(size_t offset, std::string message, std::string advice);
  void Warn(size_t offset, std::string message, std::string advice);

  bool has_error() const { return has_error_; }
  const SourceText& source() const { return *source_; }

  // In the order of the file; of those at one place, in the order in which they were found.
  std::vector<Finding> Take();

 private:
  void Add(Finding::Severity severity, size_t offset, std::string message, std::string advice);

  const SourceText* const source_;
  std::vector<Finding> found_;
  bool has_error_ = false;
};

// A piece of the file, fit to stand in a message: in quotes, escaped, and not too long.
std::string Quoted(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_FINDINGS_H_
