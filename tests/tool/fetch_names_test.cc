// `sockgate fetch` by name: every lookup is the broker's, and judged before it leaves the machine.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/http_routes.h"
#include "tests/tool/fetch_world.h"

namespace sockgate::testing {
namespace {

std::string InTemp(const std::string& name) {
  return absl::StrCat(std::getenv("TEST_TMPDIR"), "/", name);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class FetchNamesTest : public FetchWorld {
 protected:
  const std::unique_ptr<LoopbackServer> here_ = ServerAt("127.0.0.1");
  const std::unique_ptr<LoopbackServer> on_a_ = ServerAt("127.0.0.2");
  const std::unique_ptr<LoopbackServer> on_b_ = ServerAt("127.0.0.3");
  const std::string a_ = At("a.test", *on_a_);
  const std::string b_ = At("b.test", *on_b_);
  const std::string localhost_ = At("localhost", *here_);
};

INSTANTIATE_TEST_SUITE_P(Modes, FetchNamesTest, ::testing::Values("connected", "in-progress"),
                         ModeName);

TEST_P(FetchNamesTest, OneLookupForOneHost) {
  const std::string log = InTemp(absl::StrCat("one_lookup_", GetParam()));
  const CommandResult result =
      Fetch({"-v", "--audit", log, "--allow-private", a_, absl::StrCat("http://", a_, "/hello")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, kHelloBody);
  EXPECT_TRUE(Says(result, absl::StrCat(": allowed by rule 1 (--allow-private ", a_, ")")));
  EXPECT_EQ(Count(Contents(log), R"("event":"lookup")"), 1U) << Contents(log);
}

TEST_P(FetchNamesTest, RedirectsLeadFromNameToName) {
  const std::string third = absl::StrCat("http://sub.", b_, "/hello");
  const std::string second = absl::StrCat("http://", b_, "/redirect?to=", third);
  const CommandResult result =
      Fetch({"-L", "--allow-private", a_, "--allow-private", b_, "--allow-private",
             absl::StrCat("*.", b_), absl::StrCat("http://", a_, "/redirect?to=", second)});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, kHelloBody);
  EXPECT_EQ(on_a_->requests_served(), 1U);
  EXPECT_EQ(on_b_->requests_served(), 2U);
}

TEST_P(FetchNamesTest, TheCertificateIsTheNames) {
  LoopbackServer::Options options;
  options.address = "127.0.0.2";
  options.tls = true;
  options.extra_names = {"a.test"};
  const auto secure = LoopbackServer::Start(options);
  ASSERT_TRUE(secure.ok()) << secure.status();
  const std::string trusted = InTemp(absl::StrCat("ca_", GetParam()));
  std::ofstream(trusted) << (*secure)->certificate_pem();
  for (const char* host : {"a.test", "also.a.test"}) {
    const std::string there = At(host, **secure);
    const CommandResult result = Fetch(
        {"--cacert", trusted, "--allow-private", there, absl::StrCat("https://", there, "/hello")});
    EXPECT_EQ(result.status, host[1] == '.' ? 0 : 60) << result.err;
  }
}

TEST_P(FetchNamesTest, ARedirectToANameThatIsNotAllowedIsNotEvenLookedUp) {
  const CommandResult result =
      Fetch({"-L", "--allow-private", a_,
             absl::StrCat("http://", a_, "/redirect?to=http://", b_, "/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, "b.test: denied by the default (no-rule-matches)"));
  EXPECT_TRUE(Says(result, absl::StrCat("; --allow ", b_, " lets it through")));
  EXPECT_TRUE(zone_.WasAskedFor("a.test"));
  EXPECT_FALSE(zone_.WasAskedFor("b.test"));
  EXPECT_EQ(on_b_->connections_accepted(), 0U);
}

TEST_P(FetchNamesTest, APublicNameThatLeadsToLoopbackIsDenied) {
  const std::string there = At("here.test", *here_);
  for (const char* allow : {"here.test:*", "*.test:*", "public:*"}) {
    const CommandResult result =
        Fetch({"--allow", allow, absl::StrCat("http://", there, "/hello")});
    EXPECT_EQ(result.status, 120) << allow;
    EXPECT_TRUE(Says(result, "here.test: denied (special-purpose-address)"));
    EXPECT_TRUE(Says(result, absl::StrCat("; --allow-private ", there, " lets it through")));
  }
  EXPECT_TRUE(zone_.WasAskedFor("here.test"));
  EXPECT_EQ(here_->connections_accepted(), 0U);
}

TEST_P(FetchNamesTest, ARuleOnTheAddressIsNoneOnTheName) {
  const CommandResult result =
      Fetch({"--allow", "127.0.0.0/8:*", absl::StrCat("http://", a_, "/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, "a.test: denied by the default"));
  EXPECT_FALSE(zone_.WasAsked());
}

TEST_P(FetchNamesTest, AnotherPortOfANameIsDenied) {
  const CommandResult result =
      Fetch({"--allow-private", "a.test:1", absl::StrCat("http://", a_, "/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, absl::StrCat("127.0.0.2:", on_a_->port(), ": denied by the default")));
  EXPECT_TRUE(Says(result, absl::StrCat("; --allow ", a_, " lets it through")));
}

TEST_P(FetchNamesTest, LocalhostIsReachedWhenAllowedAndNeedsNoDns) {
  const std::string url = absl::StrCat("http://", localhost_, "/hello");
  CommandResult result = Fetch({"--allow", localhost_, url});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, kHelloBody);
  const std::string below = absl::StrCat("deep.", localhost_);
  EXPECT_EQ(Fetch({"--allow", below, absl::StrCat("http://", below, "/hello")}).status, 0);

  for (const char* allow : {"public:*", "localhost.test:*", "a.test:*", "localhost:1"}) {
    result = Fetch({"--allow", allow, url});
    EXPECT_EQ(result.status, 120) << allow << ": " << result.err;
  }
  EXPECT_TRUE(
      Says(Fetch({url}), absl::StrCat("; --allow public:80,443 --allow ", localhost_, " let it")));
  EXPECT_FALSE(zone_.WasAsked());
}

// libcurl does not ask for the addresses of localhost.
TEST_P(FetchNamesTest, ARedirectToLocalhostIsJudgedByItsName) {
  const std::string url = absl::StrCat("http://", a_, "/redirect?to=http://", localhost_, "/hello");
  CommandResult result = Fetch({"-L", "--allow-private", a_, "--allow", localhost_, url});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, kHelloBody);
  result = Fetch({"-L", "--allow-private", a_, url});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, absl::StrCat("; --allow ", localhost_, " lets it through")));
  EXPECT_EQ(here_->requests_served(), 1U);
}

TEST_P(FetchNamesTest, EachOfSeveralUrlsHasItsOwnEnd) {
  const std::string third = absl::StrCat("http://", a_, "/bytes/3");
  const CommandResult result =
      Fetch({"--allow-private", a_, "--allow-private", "none.test:80",
             absl::StrCat("http://", a_, "/bytes/5"), absl::StrCat("http://", b_, "/bytes/7"),
             "http://none.test/", third});
  EXPECT_EQ(result.out.size(), 8U);
  EXPECT_EQ(result.status, 6) << "that of the last which failed";
  EXPECT_TRUE(Says(result, "b.test: denied by the default"));
  EXPECT_TRUE(Says(result, "none.test: allowed, but the name does not exist"));
}

TEST_P(FetchNamesTest, ANameThatDoesNotExistIsStatusSix) {
  const CommandResult result =
      Fetch({"-L", "--allow-private", a_, "--allow", "none.test:80",
             absl::StrCat("http://", a_, "/redirect?to=http://none.test/")});
  EXPECT_EQ(result.status, 6);
  EXPECT_TRUE(Says(result, "none.test: allowed, but the name does not exist"));
}

TEST_P(FetchNamesTest, ASecondNameServerStandsIn) {
  const CommandResult result =
      RunSockgate({"fetch", "--mode", GetParam(), "--max-time", "4", "--dns-servers",
                   absl::StrCat("127.0.0.1:1,", zone_.server()), "--allow-private", a_,
                   absl::StrCat("http://", a_, "/hello")});
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_P(FetchNamesTest, NoNameServerIsAFailureInBoundedTime) {
  const FakeDns silent;  // bound, but never started
  const std::string absent = "127.0.0.1:1";
  for (const std::string& server : {absent, absl::StrCat("127.0.0.1:", silent.port())}) {
    const auto begun = std::chrono::steady_clock::now();
    const CommandResult result =
        RunSockgate({"fetch", "--mode", GetParam(), "--max-time", "1", "--dns-servers", server,
                     "--allow", "slow.test:80", "http://slow.test/"});
    EXPECT_EQ(result.status, server == absent ? 6 : 28) << result.err;
    EXPECT_TRUE(Says(result, "slow.test: allowed, but no name server gave an answer"));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  }
}

}  // namespace
}  // namespace sockgate::testing
