// AuditTail: reads a log that grows, line by line as they come, and gives the disk back what it has
// read: a million requests are more than half a gigabyte of lines.
//
// Process: the test. The file is a broker's, which goes on appending.

#ifndef SOCKGATE_TESTS_SOAK_AUDIT_TAIL_H_
#define SOCKGATE_TESTS_SOAK_AUDIT_TAIL_H_

#include <sys/types.h>

#include <string>

#include "proto/unique_fd.h"
#include "tests/support/audit_ledger.h"

namespace sockgate::soak {

class AuditTail {
 public:
  // The file need not be there yet.
  explicit AuditTail(std::string path) : path_(std::move(path)) {}

  // Puts what has come since the last time into the ledger. A piece at a time;
  // false when there was nothing.
  bool Read();
  void ReadAll() {
    while (Read()) {
    }
  }

  // A line that has begun and not ended, which a log at rest has not.
  const std::string& rest() const { return rest_; }
  const testing::AuditLedger& ledger() const { return ledger_; }

 private:
  const std::string path_;
  UniqueFd file_;
  off_t at_ = 0;
  std::string rest_;
  testing::AuditLedger ledger_;
};

}  // namespace sockgate::soak

#endif  // SOCKGATE_TESTS_SOAK_AUDIT_TAIL_H_
