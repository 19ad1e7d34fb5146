// Redirects across hosts: each host is looked up and judged anew, and a denied one is not even
// asked for.

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"

namespace sockgate::testing {
namespace {

// Rule 1 lets every public place be reached, rule 2 takes one name out again.
constexpr char kRole[] =
    "allow = [{ public = true, ports = '*' }]\n"
    "deny = [{ host = 'denied.test' }]\n";

constexpr char kHello[] =
    "code 0 status 200 body hello from sockgate's loopback server\n; No error";

std::vector<std::string> Zone() {
  std::vector<std::string> zone = {"--host-record=denied.test,8.8.8.1",
                                   "--host-record=inside.test,10.1.1.1"};
  for (int i = 1; i <= kPublicAddresses; ++i) {
    zone.push_back(absl::StrCat("--host-record=host", i, ".test,", PublicAddress(i)));
  }
  return zone;
}

class RedirectsTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  // "http://host1.test:PORT/redirect?to=http://host2.test:PORT/redirect?to=..." to the last's path.
  std::string Chain(const std::vector<std::string>& hosts, const std::string& last_path) const {
    std::string url;
    for (const std::string& host : hosts) {
      absl::StrAppend(&url, url.empty() ? "" : "/redirect?to=", "http://", host, ":",
                      server_.port());
    }
    return url + last_path;
  }

  std::string Follow(const std::string& url) {
    TransferOptions options;
    options.follow = true;
    return FetchInWorker(broker_, GetParam(), url, options);
  }

  const Dnsmasq dns_{Zone()};
  ServerProcess server_{ServerAt("0.0.0.0")};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(OneRole(dns_.port(), kRole), audit_);
};

INSTANTIATE_TEST_SUITE_P(Modes, RedirectsTest, BothModes(), ModeName);

TEST_P(RedirectsTest, AChainOverFiveHostsEndsWithTheBody) {
  std::vector<std::string> hosts;
  for (int i = 1; i <= 5; ++i) hosts.push_back(absl::StrCat("host", i, ".test"));
  EXPECT_EQ(Follow(Chain(hosts, "/hello")), kHello);
  for (const std::string& host : hosts) EXPECT_EQ(dns_.TimesAsked(host), 1U) << host;
}

TEST_P(RedirectsTest, ADeniedHostIsDeniedBeforeAnyQuery) {
  EXPECT_EQ(Follow(Chain({"host1.test", "host2.test", "denied.test"}, "/hello")),
            "code 6 errno 0; denied.test: denied by rule 2 (deny-rule)");
  EXPECT_EQ(dns_.TimesAsked("host1.test"), 1U);
  EXPECT_EQ(dns_.TimesAsked("host2.test"), 1U);
  EXPECT_FALSE(dns_.HasHeardOf("denied.test"));
}

// As a browser would read them; the log is searched for any spelling of the name.
TEST_P(RedirectsTest, ADeniedHostInAnotherSpellingIsDeniedToo) {
  for (const char* spelling : {"DENIED.test", "denied.test.", "Denied.TEST."}) {
    const std::string text = Follow(Chain({"host1.test", spelling}, "/hello"));
    EXPECT_NE(text.find("denied by rule 2 (deny-rule)"), std::string::npos) << text;
  }
  for (const char* part : {"denied.", "DENIED.", "Denied."}) EXPECT_FALSE(dns_.HasHeardOf(part));
  EXPECT_EQ(dns_.TimesAsked("host1.test"), 1U);
}

TEST_P(RedirectsTest, TheLastErrorHasTheRuleAndTheReason) {
  const std::string url = Chain({"host1.test", "denied.test"}, "/hello");
  NamesWorker worker(broker_, [&](const NamesWorker::Inside& inside) {
    CurlAdapterOptions options;
    options.mode = GetParam();
    CurlAdapter adapter(&inside.client(), options);
    TransferOptions following;
    following.follow = true;
    const ConnectError error = Perform(adapter, url, following).error;
    return absl::StrCat(error.kind == ConnectError::Kind::kDenied, " ",
                        error.reason == Reason::kDenyRule, " ", error.rule, " ",
                        error.error_number == EACCES);
  });
  EXPECT_EQ(worker.Text(), "1 1 2 1");
}

TEST_P(RedirectsTest, AHostWithAPrivateAddressIsLookedUpAndNotReached) {
  const Canary canary(kPrivate);
  const std::string url = absl::StrCat("http://inside.test:", canary.port(), "/");
  EXPECT_EQ(Follow(Chain({"host1.test"}, "/redirect?to=" + url)),
            "code 6 errno 0; inside.test: denied (special-purpose-address)");
  EXPECT_EQ(dns_.TimesAsked("inside.test"), 1U);
  EXPECT_FALSE(canary.touched());
  broker_.Stop();
  const auto answers = audit_.Lines("answer");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].at("outcome"), "denied");
  EXPECT_EQ(answers[1].value("dropped", 0), 1);
}

}  // namespace
}  // namespace sockgate::testing
