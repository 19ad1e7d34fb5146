// Finding: what is wrong with a policy file, where, and what to write instead.

#ifndef SOCKGATE_BROKER_POLICY_FINDING_H_
#define SOCKGATE_BROKER_POLICY_FINDING_H_

#include <cstdint>
#include <string>

namespace sockgate {

struct Finding {
  enum class Severity : uint8_t {
    kError,    // the file makes no policy
    kWarning,  // it does, but hardly the one that was meant
  };

  Severity severity = Severity::kError;
  uint32_t line = 0;  // from 1; 0: the file as a whole
  uint32_t column = 0;
  std::string message;  // "unknown key 'alow'"
  std::string advice;   // "write 'allow'"; may be empty
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_FINDING_H_
