#include "tests/tool/zone.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sockgate::testing {

Zone::Zone(std::map<std::string, std::string> addresses) : addresses_(std::move(addresses)) {
  dns_.Start([this](const DnsQuery& query) -> std::vector<std::string> {
    const auto known = addresses_.find(query.name);
    if (known == addresses_.end()) return {DnsReply(query, kNameError).bytes()};
    DnsReply reply(query);
    if (query.type == kTypeA) reply.A(query.name, 300, known->second);
    return {reply.bytes()};
  });
}

std::string Zone::server() const { return absl::StrCat("127.0.0.1:", dns_.port()); }

bool Zone::WasAskedFor(const std::string& name) const {
  for (const DnsQuery& query : dns_.queries()) {
    if (query.name == name) return true;
  }
  return false;
}

}  // namespace sockgate::testing
