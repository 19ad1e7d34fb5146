// `sockgate fetch` by FTP, passive: the data connection is the broker's too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ftp_server.h"
#include "tests/tool/fetch_world.h"

namespace sockgate::testing {
namespace {

using ::testing::Contains;

class FetchFtpTest : public FetchWorld {
 protected:
  static FtpServer::Options Ftp(bool epsv, const std::string& pasv_host) {
    FtpServer::Options options;
    options.address = "127.0.0.2";
    options.epsv = epsv;
    options.pasv_host = pasv_host;
    return options;
  }

  static std::string Url(const std::string& host, const FtpServer& server) {
    return absl::StrCat("ftp://", host, ":", server.port(), "/file");
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, FetchFtpTest, ::testing::Values("connected", "in-progress"),
                         ModeName);

TEST_P(FetchFtpTest, ByNameWithAnExtendedPassiveConnection) {
  const FtpServer server(Ftp(true, "127,0,0,2"));
  const CommandResult result = Fetch({"--allow-private", "a.test:*", Url("a.test", server)});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "hello by ftp\n");
  EXPECT_THAT(server.commands(), Contains("EPSV"));
}

TEST_P(FetchFtpTest, ByNameWithAPassiveConnection) {
  const FtpServer server(Ftp(false, "127,0,0,2"));
  const CommandResult result = Fetch({"--allow-private", "a.test:*", Url("a.test", server)});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "hello by ftp\n");
  EXPECT_THAT(server.commands(), Contains("PASV"));
}

// libcurl goes to the host of the control connection, whatever a server says.
TEST_P(FetchFtpTest, AServerCannotSendItElsewhere) {
  const FtpServer server(Ftp(false, "169,254,169,254"));
  const CommandResult result = Fetch({"-v", "--allow-private", "a.test:*", Url("a.test", server)});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_FALSE(Says(result, "169.254.169.254"));
}

TEST_P(FetchFtpTest, ByAddress) {
  const FtpServer server(Ftp(true, "127,0,0,2"));
  EXPECT_EQ(Fetch({"--allow", "127.0.0.2:*", Url("127.0.0.2", server)}).status, 0);
}

TEST_P(FetchFtpTest, TheDataConnectionsPortMustBeAllowedToo) {
  const FtpServer server(Ftp(true, "127,0,0,2"));
  const std::string control = absl::StrCat("a.test:", server.port());
  const CommandResult result = Fetch({"--allow-private", control, Url("a.test", server)});
  EXPECT_EQ(result.status, 120) << result.err;
  EXPECT_TRUE(Says(result, "denied by the default (no-rule-matches); --allow a.test:"));
}

}  // namespace
}  // namespace sockgate::testing
