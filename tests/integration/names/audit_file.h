// AuditFile: where a broker of a test writes its audit log.
//
// Process: the test. The file goes with the object.

#ifndef SOCKGATE_TESTS_INTEGRATION_NAMES_AUDIT_FILE_H_
#define SOCKGATE_TESTS_INTEGRATION_NAMES_AUDIT_FILE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proto/unique_fd.h"
#include "tests/broker/temp_folder.h"

namespace sockgate::testing {

class AuditFile {
 public:
  // For one broker to append to.
  UniqueFd Open() const;

  // The lines whose "event" this is. All of them are there only once the broker has ended.
  std::vector<nlohmann::json> Lines(const std::string& event) const;

 private:
  const TempFolder folder_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_NAMES_AUDIT_FILE_H_
