// What the adapter decides without a broker. Whole transfers are in tests/integration.

#include "client/curl_adapter.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

TEST(SockoptAnswerTest, ByModeAndVersion) {
  const struct {
    unsigned version;
    int connected;
  } cases[] = {
      {CURL_VERSION_BITS(7, 74, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(7, 87, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(7, 88, 0), CURL_SOCKOPT_OK},
      {CURL_VERSION_BITS(7, 88, 1), CURL_SOCKOPT_OK},
      {CURL_VERSION_BITS(8, 0, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(8, 19, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(SockoptAnswer(kConnected, one.version), one.connected) << std::hex << one.version;
    EXPECT_EQ(SockoptAnswer(kInProgress, one.version), CURL_SOCKOPT_OK) << std::hex << one.version;
  }
}

struct EasyCloser {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

class CurlAdapterTest : public ::testing::Test {
 protected:
  CurlAdapterTest() {
    broker_.Greet();
    client_ = *BrokerClient::FromDescriptor(broker_.TakeWorkerEnd());
  }

  testing::FakeBroker broker_;
  std::unique_ptr<BrokerClient> client_;
  const std::unique_ptr<CURL, EasyCloser> easy_{curl_easy_init()};
};

// This process is not confined, so nobody answers the connect() that libcurl would make.
TEST_F(CurlAdapterTest, AttachSaysWhatIsMissingInAnUnconfinedProcess) {
  const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  for (const ConnectMode mode : {kConnected, kInProgress}) {
    if (SockoptAnswer(mode, version) != CURL_SOCKOPT_OK) continue;
    CurlAdapterOptions options;
    options.mode = mode;
    CurlAdapter adapter(client_.get(), options);
    const absl::Status status = adapter.Attach(easy_.get());
    EXPECT_TRUE(absl::IsFailedPrecondition(status));
    EXPECT_NE(status.message().find("launch::Worker"), absl::string_view::npos);
  }
}

TEST_F(CurlAdapterTest, AHandleThatItDoesNotKnow) {
  CurlAdapter adapter(client_.get(), {});
  EXPECT_TRUE(adapter.LastError(easy_.get()).ok());
  EXPECT_EQ(adapter.Explain(easy_.get(), CURLE_COULDNT_CONNECT),
            curl_easy_strerror(CURLE_COULDNT_CONNECT));
  adapter.Detach(easy_.get());
}

TEST_F(CurlAdapterTest, ExplainsWhatAUserCannotGuess) {
  CurlAdapter adapter(client_.get(), {});
  EXPECT_NE(adapter.Explain(easy_.get(), CURLE_INTERFACE_FAILED).find("CURLOPT_INTERFACE"),
            std::string::npos);
  for (const CURLcode code : {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY}) {
    EXPECT_NE(adapter.Explain(easy_.get(), code).find("CURLOPT_RESOLVE"), std::string::npos);
  }
}

}  // namespace
}  // namespace sockgate
