// `sockgate fetch` as its users meet it: standard output, messages, exit statuses.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/server_process.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/test_namespace.h"
#include "tests/tool/command.h"

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

class FetchCommand : public ::testing::Test {
 protected:
  FetchCommand() : server_({}), allow_(absl::StrCat("127.0.0.1:", server_.port())) {}

  ServerProcess server_;
  const std::string allow_;
};

TEST_F(FetchCommand, WritesTheBodyToStandardOutputAndNothingElse) {
  const CommandResult result =
      RunSockgate({"fetch", "--allow", allow_, server_.Url("/bytes/100000")});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out.size(), 100000U);
  EXPECT_EQ(result.err, "");
}

TEST_F(FetchCommand, WritesEachUrlToItsFile) {
  const CommandResult result =
      RunSockgate({"fetch", "--allow", allow_, "-o", InTemp("one"), "-o", InTemp("two"),
                   server_.Url("/bytes/10"), server_.Url("/bytes/20")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Contents(InTemp("one")).size(), 10U);
  EXPECT_EQ(Contents(InTemp("two")).size(), 20U);
}

TEST_F(FetchCommand, AllowsNothingPrivateByDefault) {
  const CommandResult result = RunSockgate({"fetch", server_.Url("/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(absl::StrContains(result.err, "denied by the default (no-rule-matches)"))
      << result.err;
  EXPECT_TRUE(
      absl::StrContains(result.err, absl::StrCat("; --allow public:80,443 --allow ", allow_)))
      << result.err;
}

TEST_F(FetchCommand, AllowsAHostByName) {
  const CommandResult result =
      RunSockgate({"fetch", "-v", "--allow", absl::StrCat("localhost:", server_.port()),
                   absl::StrCat("http://localhost:", server_.port(), "/hello")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "(--allow localhost:")) << result.err;
}

TEST_F(FetchCommand, SaysHowEachConnectionCameToBe) {
  const CommandResult result = RunSockgate(
      {"fetch", "-v", "--allow", "10.0.0.0/8:80", "--allow", allow_, server_.Url("/hello")});
  EXPECT_TRUE(absl::StrContains(
      result.err, absl::StrCat("* ", allow_, ": allowed by rule 2 (--allow ", allow_, ")")))
      << result.err;
}

TEST_F(FetchCommand, SaysWhatHoldsTheWorker) {
  const CommandResult result =
      RunSockgate({"fetch", "-v", "--allow", allow_, server_.Url("/hello")});
  EXPECT_TRUE(absl::StrContains(result.err, "* the worker has no_new_privs, no capabilities, "))
      << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "seccomp (fetcher)")) << result.err;
}

TEST_F(FetchCommand, ShowsProgressOnATerminalOnly) {
  const std::string url = server_.Url("/slow/400");
  EXPECT_TRUE(absl::StrContains(TerminalOutput({"fetch", "--allow", allow_, url}), "/s  http://"));
  EXPECT_EQ(TerminalOutput({"fetch", "-s", "--allow", allow_, url}), "");
  EXPECT_EQ(RunSockgate({"fetch", "--allow", allow_, url}).err, "");
}

TEST_F(FetchCommand, FetchesOverTlsWithTheGivenCertificates) {
  LoopbackServer::Options tls;
  tls.tls = true;
  ServerProcess secure(tls);
  std::ofstream(InTemp("ca.pem")) << secure.certificate_pem();
  const std::string allow = absl::StrCat("127.0.0.1:", secure.port());
  EXPECT_EQ(RunSockgate({"fetch", "--allow", allow, "--cacert", InTemp("ca.pem"),
                         secure.Url("/status/204")})
                .status,
            0);
  // Which fault the certificate has, libcurl says in its buffer alone.
  const CommandResult result = RunSockgate({"fetch", "--allow", allow, secure.Url("/status/204")});
  EXPECT_EQ(result.status, 60);
  EXPECT_TRUE(absl::StrContains(result.err, "SSL certificate problem: ")) << result.err;
  EXPECT_EQ(RunSockgate({"fetch", "-k", "--allow", allow, secure.Url("/status/204")}).status, 0);
}

TEST_F(FetchCommand, ExitsAsCurlDoes) {
  const auto refusing = RefusingPort::Reserve();
  ASSERT_TRUE(refusing.ok());
  const std::string refused = absl::StrCat("127.0.0.1:", refusing->port());
  EXPECT_EQ(RunSockgate({"fetch", "--allow", refused, absl::StrCat("http://", refused)}).status, 7);
  EXPECT_EQ(RunSockgate({"fetch", "-f", "--allow", allow_, server_.Url("/status/404")}).status, 22);
  EXPECT_EQ(
      RunSockgate({"fetch", "--allow", allow_, "-m", "0.3", server_.Url("/slow/5000")}).status, 28);
}

// In either mode, and with either of the limits the shorter one.
TEST_F(FetchCommand, EndsABlackHoleInTimeWithCurlsStatus) {
  const std::string allow = absl::StrCat(kBlackHoleV4, ":80");
  const std::string url = absl::StrCat("http://", kBlackHoleV4, "/");
  for (const char* mode : {"connected", "in-progress"}) {
    for (const char* limit : {"--connect-timeout", "--max-time"}) {
      const auto begun = std::chrono::steady_clock::now();
      const CommandResult result =
          RunSockgate({"fetch", "--mode", mode, limit, "0.5", "--allow", allow, url});
      EXPECT_EQ(result.status, 28) << mode << " " << limit << " " << result.err;
      EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4));
    }
  }
}

TEST_F(FetchCommand, FollowsARedirectToAnotherPort) {
  ServerProcess second({});
  const std::string from = absl::StrCat("localhost:", server_.port());
  const std::string to = absl::StrCat("localhost:", second.port());
  const CommandResult result =
      RunSockgate({"fetch", "-L", "--allow", from, "--allow", to,
                   absl::StrCat("http://", from, "/redirect?to=http://", to, "/hello")});
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(FetchCommand, TouchesNoFileBeforeTheCommandLineIsUnderstood) {
  std::ofstream(InTemp("precious")) << "precious";
  const std::vector<std::string> wrong = {"http://bad url/", "--proxy=ftp://x", "--allow=x",
                                          "--dns-servers=x", "--allow-private=10.0.0.1:80"};
  for (const std::string& argument : wrong) {
    EXPECT_EQ(
        RunSockgate({"fetch", "-o", InTemp("precious"), server_.Url("/hello"), argument}).status, 2)
        << argument;
  }
  EXPECT_EQ(Contents(InTemp("precious")), "precious");
}

TEST_F(FetchCommand, TheUnspecifiedAddressIsNoWayToLoopback) {
  const CommandResult result =
      RunSockgate({"fetch", "--allow", "0.0.0.0/0:*",
                   absl::StrCat("http://0.0.0.0:", server_.port(), "/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(absl::EndsWith(result.err, "(unspecified-address)\n")) << result.err;
}

TEST_F(FetchCommand, TheAuditLogIsNotTheWorkersStandardError) {
  EXPECT_EQ(RunSockgate({"fetch", "--audit", "-", "--allow", allow_, server_.Url("/hello")}).status,
            2);
}

TEST_F(FetchCommand, AFailureAmongManyIsTheExitStatus) {
  const CommandResult result = RunSockgate(
      {"fetch", "-f", "--allow", allow_, server_.Url("/status/404"), server_.Url("/bytes/5")});
  EXPECT_EQ(result.status, 22);
  EXPECT_EQ(result.out.size(), 5U);
}

// file: and gopher:, of which this libcurl would speak one, end as what it has never heard of does.
TEST_F(FetchCommand, SchemesThatAreNotSpokenEndAlike) {
  for (const char* scheme : {"file", "gopher", "dict", "x"}) {
    const CommandResult result = RunSockgate({"fetch", absl::StrCat(scheme, "://localhost/a")});
    EXPECT_EQ(result.status, 1) << scheme;
    EXPECT_TRUE(absl::EndsWith(
        result.err, absl::StrCat("Protocol \"", scheme,
                                 "\" not supported; only http, https, ftp "
                                 "and ftps are spoken, and redirects lead to http and https\n")))
        << result.err;
  }
}

TEST_F(FetchCommand, UsageErrorsSayWhatToWrite) {
  CommandResult result = RunSockgate({"fetch"});
  EXPECT_EQ(result.status, 2);
  result = RunSockgate({"fetch", "--allow", "127.0.0.1", server_.Url("/")});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(absl::StrContains(result.err, "write '127.0.0.1:443'")) << result.err;
  result = RunSockgate({"fetch", "--allow", "10.0.0.1/8:80", server_.Url("/")});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(absl::StrContains(result.err, "no bits set beyond the prefix")) << result.err;
  result = RunSockgate({"fetch", "not a url"});
  EXPECT_EQ(result.status, 2);
}

TEST_F(FetchCommand, TheAuditLogIsForItsOwnerAndHasTheDecision) {
  const std::string log = InTemp("audit.jsonl");
  EXPECT_EQ(RunSockgate({"fetch", "--audit", log, "--allow", allow_, server_.Url("/hello")}).status,
            0);
  const std::string lines = Contents(log);
  EXPECT_TRUE(absl::StrContains(lines, R"("event":"decision","worker":1,"channel":2,"pid":)"));
  EXPECT_TRUE(
      absl::StrContains(lines, absl::StrCat(R"(,"role":"fetch","request":1,"target":")", allow_,
                                            R"(","transport":"stream","mode":"in-progress")")))
      << lines;
}

}  // namespace
}  // namespace sockgate::testing
