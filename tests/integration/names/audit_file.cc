#include "tests/integration/names/audit_file.h"

#include <fcntl.h>

#include <fstream>
#include <utility>

#include "proto/check.h"

namespace sockgate::testing {

UniqueFd AuditFile::Open() const {
  UniqueFd fd(open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  SOCKGATE_CHECK(fd.valid());
  return fd;
}

std::vector<nlohmann::json> AuditFile::Lines(const std::string& event) const {
  std::vector<nlohmann::json> lines;
  std::ifstream file(folder_ / "log");
  for (std::string line; std::getline(file, line);) {
    nlohmann::json parsed = nlohmann::json::parse(line);
    if (parsed.at("event") == event) lines.push_back(std::move(parsed));
  }
  return lines;
}

}  // namespace sockgate::testing
