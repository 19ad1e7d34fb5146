// FetchWorld: `sockgate fetch` in a small world of names: servers on addresses of their own behind
// them, in the test network.
//
// Process: the test; its servers are threads, so fork only to execute. A base for tests that take a
// connect mode as their parameter.

#ifndef SOCKGATE_TESTS_TOOL_FETCH_WORLD_H_
#define SOCKGATE_TESTS_TOOL_FETCH_WORLD_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/http_server.h"
#include "tests/tool/command.h"
#include "tests/tool/zone.h"

namespace sockgate::testing {

class FetchWorld : public ::testing::TestWithParam<const char*> {
 protected:
  static std::unique_ptr<LoopbackServer> ServerAt(const std::string& address) {
    LoopbackServer::Options options;
    options.address = address;
    auto server = LoopbackServer::Start(options);
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  // In the test's mode, with the zone's name server.
  CommandResult Fetch(std::vector<std::string> arguments) const {
    const std::vector<std::string> first = {"fetch", "--mode", GetParam(), "--dns-servers",
                                            zone_.server()};
    arguments.insert(arguments.begin(), first.begin(), first.end());
    return RunSockgate(arguments);
  }

  std::string At(const std::string& host, const LoopbackServer& server) const {
    return absl::StrCat(host, ":", server.port());
  }

  const Zone zone_{{{"here.test", "127.0.0.1"},
                    {"a.test", "127.0.0.2"},
                    {"also.a.test", "127.0.0.2"},
                    {"b.test", "127.0.0.3"},
                    {"sub.b.test", "127.0.0.3"}}};
};

inline ::testing::AssertionResult Says(const CommandResult& result, const std::string& text) {
  if (absl::StrContains(result.err, text)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "not '" << text << "' but: " << result.err;
}

inline std::string ModeName(const ::testing::TestParamInfo<const char*>& mode) {
  return absl::string_view(mode.param) == "connected" ? "Connected" : "InProgress";
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_FETCH_WORLD_H_
